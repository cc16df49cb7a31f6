"""Templates of rules: a small part of Jinja, in its sandbox, that by its make cannot run long or grow large.

Jinja knows no limit of time. So what could take long is not in the language at all: no calls, no assignments, no
macros, no loop within a loop, no methods, no powers, arithmetic on numbers only. What is left costs about as much as
the template and the event are long; both are limited, and the clock is looked at besides.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeGuard

from jinja2 import TemplateError, Undefined, nodes, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from marengocam.core.clock import Clock
from marengocam.core.errors import BadInputError
from marengocam.core.rules.place import Place
from marengocam.core.rules.told import EVENT_FIELDS

MAX_TEMPLATE_CHARS = 4096
MAX_OUTPUT_CHARS = 65_536
RENDER_LIMIT_S = 0.1
MAX_DEPTH = 20
MAX_ENTRIES = 500  # of all lists and objects of one payload together
VARIABLES = ("event", "rule")
_PLACE = "the owner's place"  # no name in a template can mean it
_PASSED_ON = ("capitalize", "default", "first", "float", "int", "join", "last", "length", "lower", "sort", "string",
              "title", "tojson", "trim", "unique", "upper", "urlencode")  # fmt: skip
_TESTS = ("defined", "undefined", "none", "in", "number", "string", "true", "false")
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict,
    nodes.Pair, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat,
    nodes.Compare, nodes.Operand, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Not,
    nodes.And, nodes.Or, nodes.Neg, nodes.Pos, nodes.If, nodes.For, nodes.Keyword,
)  # fmt: skip
_ONE_EXPRESSION = re.compile(r"^\s*{{(?P<expression>((?!{{|}}).)*)}}\s*$", re.DOTALL)
_TIME_FORMAT = re.compile(r"^(%[YmdHMSjaAbBpy%]|[^%]){1,100}$")


class TemplateProblemError(BadInputError):
    """A template cannot be used, or failed with this event; the message says where."""


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "%"})

    def call_binop(self, _context: Any, operator: str, left: Any, right: Any) -> Any:
        """Keep `*` and `%` from making long texts."""
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise TemplateProblemError(f"{operator} takes numbers only")
        return left * right if operator == "*" else left % right

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an entry of an object; nothing has methods or attributes here."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping | list | tuple | str):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=str(argument))


@pass_context
def _local(context: Context, value: Any, form: str = "%H:%M") -> str:
    """Show a time of an event by the owner's clock and a pattern such as %H:%M."""
    if not _TIME_FORMAT.match(form):
        raise TemplateProblemError("time takes patterns of %Y %m %d %H %M %S %a %A %b %B")
    at, place = datetime.fromisoformat(str(value)), context[_PLACE]
    return (at if at.tzinfo is None else place.local(at)).strftime(form)


def _replace(text: Any, old: str, new: str) -> str:
    if len(str(text)) * (len(str(new)) + 1) > MAX_OUTPUT_CHARS:
        raise TemplateProblemError("replace would make too long a text")
    return str(text).replace(str(old), str(new))


def _round(number: Any, digits: int = 0) -> float | int:
    rounded = round(float(number), min(max(int(digits), 0), 10))
    return int(rounded) if digits == 0 else rounded


_OWN: dict[str, Callable[..., Any]] = {"local": _local, "replace": _replace, "round": _round}
FILTER_NAMES = (*_PASSED_ON, *_OWN)


def _environment() -> _Sandbox:
    environment = _Sandbox(autoescape=False, undefined=Undefined, keep_trailing_newline=True)
    environment.filters.clear()
    environment.filters |= {name: FILTERS[name] for name in _PASSED_ON}
    environment.filters |= _OWN
    tests = {name: environment.tests[name] for name in _TESTS}
    environment.tests.clear()
    environment.tests |= tests
    environment.globals.clear()
    return environment


_ENVIRONMENT = _environment()


def check(value: Any, place: str) -> None:
    """Raise TemplateProblemError that names the place when a payload holds a template that cannot be used."""
    for entries, (inner_place, text) in enumerate(_texts(value, place, 0)):
        if entries >= MAX_ENTRIES:
            raise TemplateProblemError(f"{place} has more than {MAX_ENTRIES} entries.")
        if isinstance(text, str):
            _check_text(text, inner_place)


def variables(event: Mapping[str, Any], rule: Mapping[str, str], place: Place) -> dict[str, Any]:
    """Return what templates are filled in with; times are shown by the clock at `place`."""
    return {"event": event, "rule": rule, _PLACE: place}


def render(value: Any, variables: Mapping[str, Any], clock: Clock) -> Any:
    """Return a payload with its templates filled in; raises TemplateProblemError.

    A text that is one expression, such as "{{ event.probability }}", becomes that value with its type.
    """
    if isinstance(value, str):
        return _render_text(value, variables, clock)
    if isinstance(value, dict):
        return {render_text(key, variables, clock): render(one, variables, clock) for key, one in value.items()}
    if isinstance(value, list):
        return [render(one, variables, clock) for one in value]
    return value


def render_text(text: str, variables: Mapping[str, Any], clock: Clock) -> str:
    """Return a template filled in, as text."""
    started_s, parts, size = clock.monotonic_s(), [], 0
    try:
        for part in _ENVIRONMENT.from_string(text).generate(variables):
            size += len(part)
            if size > MAX_OUTPUT_CHARS:
                raise TemplateProblemError(f"The template makes more than {MAX_OUTPUT_CHARS} characters.")
            if clock.monotonic_s() - started_s > RENDER_LIMIT_S:
                raise TemplateProblemError(f"The template takes longer than {RENDER_LIMIT_S:g} s.")
            parts.append(part)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
        raise TemplateProblemError(f"The template failed with this event: {error}.") from None
    return "".join(parts)


def _render_text(text: str, variables: Mapping[str, Any], clock: Clock) -> Any:
    single = _ONE_EXPRESSION.match(text)
    if single is None:
        return render_text(text, variables, clock) if "{" in text else text
    try:
        value = _ENVIRONMENT.compile_expression(single["expression"])(**variables)
        if len(json.dumps(value)) > MAX_OUTPUT_CHARS:
            raise TemplateProblemError(f"The template makes more than {MAX_OUTPUT_CHARS} characters.")
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
        raise TemplateProblemError(f"The template failed with this event: {error}.") from None
    return value


def _texts(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise TemplateProblemError(f"{place} is nested deeper than {MAX_DEPTH}.")
    yield place, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{place}.{key}", str(key)
            yield from _texts(inner, f"{place}.{key}", depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{place}[{number}]", depth + 1)


def _check_text(text: str, place: str) -> None:
    if len(text) > MAX_TEMPLATE_CHARS:
        raise TemplateProblemError(f"{place} is longer than {MAX_TEMPLATE_CHARS} characters.")
    try:
        tree = _ENVIRONMENT.parse(text)
        _ENVIRONMENT.compile(text)
    except (TemplateError, RecursionError) as error:
        raise TemplateProblemError(f"{place} is no usable template: {error}.") from None
    _check_node(tree, place, ())


def _check_node(node: nodes.Node, place: str, loop_names: tuple[str, ...]) -> None:
    """Look at one node of the tree and at all below it."""
    if not isinstance(node, _ALLOWED):
        raise TemplateProblemError(f"{place}: templates of rules know no {type(node).__name__.lower()}.")
    if isinstance(node, nodes.Name) and node.name not in (*VARIABLES, *loop_names):
        raise TemplateProblemError(f"{place}: there is no {node.name!r}, only {' and '.join(VARIABLES)}.")
    if _of_event(node) and node.attr not in EVENT_FIELDS:
        raise TemplateProblemError(f"{place}: an event has no {node.attr!r}, only {', '.join(EVENT_FIELDS)}.")
    if isinstance(node, nodes.For):
        if loop_names or node.recursive:
            raise TemplateProblemError(f"{place}: a loop within a loop is not possible.")
        names = [one.name for one in node.target.find_all(nodes.Name)]
        names += [node.target.name] if isinstance(node.target, nodes.Name) else []
        _check_node(node.iter, place, ())
        for inner in (*node.body, *node.else_, *([node.test] if node.test else [])):
            _check_node(inner, place, tuple(names))
        return
    for inner in node.iter_child_nodes():
        _check_node(inner, place, loop_names)


def _of_event(node: nodes.Node) -> TypeGuard[nodes.Getattr]:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "event"
