"""Rules as YAML: one file with all of them, to keep beside other configuration, or one alone; and back."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import yaml

from marengocam.core.ids import new_id
from marengocam.core.rules.model import Rule
from marengocam.core.rules.schema import Possible, RuleFieldError, rule_document, rule_from

MAX_YAML_CHARS = 262_144
MAX_RULES = 500
_PATH_PART = re.compile(r"[^.\[\]]+")
_HEAD = "# Rules of MarengoCam: docs/guide/rules.md explains every field.\n"


class _Loader(yaml.SafeLoader):
    """Plain data only: no aliases, which could grow without end, and no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise RuleFieldError("The file uses YAML aliases (*name): write it out instead.", None)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice is not None:
            raise RuleFieldError(f"{twice!r} stands twice in line {node.start_mark.line + 1}.", str(twice))
        return super().construct_mapping(node, deep=deep)


def rules_yaml(rules: Sequence[Rule]) -> str:
    """Return rules as a file that `rules_from_yaml` takes."""
    documents = [rule_document(rule) for rule in rules]
    return _HEAD + yaml.safe_dump({"rules": documents}, sort_keys=False, allow_unicode=True, width=120)


def rule_yaml(rule: Rule) -> str:
    """Return one rule as a text that `rule_from_yaml` takes."""
    return yaml.safe_dump(rule_document(rule), sort_keys=False, allow_unicode=True, width=120)


def rule_from_yaml(text: str, now: datetime, possible: Possible) -> Rule:
    """Return the rule of a text: it alone, or the only one below `rules:`.

    Raises RuleFieldError that names field and line.
    """
    loaded = _loaded(text)
    document, place = loaded, ""
    if isinstance(loaded, dict) and "rules" in loaded:
        document, place = loaded["rules"], "rules"
    if isinstance(document, list):
        if len(document) != 1:
            raise RuleFieldError(f"Write one rule here, not {len(document)}.", place or None, 1)
        document, place = document[0], f"{place}[0]"
    try:
        return rule_from(document, new_id(now), now, possible)
    except RuleFieldError as error:
        raise RuleFieldError(str(error), error.field, _line_of(text, f"{place}.{error.field or ''}")) from None


def rules_from_yaml(text: str, known: Sequence[Rule], now: datetime, possible: Possible) -> list[Rule]:
    """Return the rules of a file; one of a known name keeps its id. Raises RuleFieldError that names rule and field."""
    documents = _documents(text)
    by_name = {rule.name: rule for rule in known}
    rules: list[Rule] = []
    for number, document in enumerate(documents):
        name = document.get("name") if isinstance(document, dict) else None
        before = by_name.get(name) if isinstance(name, str) else None
        rule_id, created_at = (before.rule_id, before.created_at) if before else (new_id(now), now)
        try:
            rule = rule_from(document, rule_id, created_at, possible)
        except RuleFieldError as error:
            place = f"rules[{number}]" + (f".{error.field}" if error.field else "")
            raise RuleFieldError(f"Rule {name or number + 1!r}: {error}", place) from None
        if rule.name in {one.name for one in rules}:
            raise RuleFieldError(f"Two rules are called {rule.name!r}.", f"rules[{number}].name")
        rules.append(rule)
    return rules


def _loaded(text: str) -> Any:
    if len(text) > MAX_YAML_CHARS:
        raise RuleFieldError(f"The file is longer than {MAX_YAML_CHARS} characters.", None)
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, made stricter
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        message = f"The file is no usable YAML: {' '.join(str(error).split())}."
        raise RuleFieldError(message, None, None if mark is None else mark.line + 1) from None


def _line_of(text: str, path: str) -> int:
    """Return the line in which a field stands; what is missing is told where it belongs."""
    node, line = yaml.compose(text, _Loader), 1
    for part in _PATH_PART.findall(path):
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _documents(text: str) -> list[Any]:
    loaded = _loaded(text)
    documents = loaded.get("rules") if isinstance(loaded, dict) else loaded
    if not isinstance(documents, list) or len(documents) > MAX_RULES:
        raise RuleFieldError(f"The file must hold a list of at most {MAX_RULES} rules below 'rules:'.", "rules")
    return documents
