"""Rules as documents (API, YAML): checked with voluptuous, errors name the field; and back again."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

import msgspec
import voluptuous as vol

from marengocam.core.camera_options import KNOWN_LABELS
from marengocam.core.errors import BadInputError
from marengocam.core.model import EventType
from marengocam.core.rules.model import (
    WEEKDAYS,
    Action,
    CallWebhook,
    Conditions,
    KeepClip,
    PublishMqtt,
    RateLimit,
    Record,
    Rule,
    SetPrivacy,
    TellHomeAssistant,
)
from marengocam.core.rules.webhook_address import checked_url

MAX_ACTIONS = 10
MAX_LISTED = 100
MAX_SECONDS = 86_400.0
MAX_CLIP_S = 600.0
MAX_RECORD_S = 3600.0
MAX_DWELL_S = 3600.0
DAY_MINUTES = 1440.0
ACTIONS: dict[str, type[Action]] = {
    "mqtt": PublishMqtt,
    "webhook": CallWebhook,
    "home_assistant": TellHomeAssistant,
    "keep_clip": KeepClip,
    "record": Record,
    "privacy": SetPrivacy,
}
_NAMES = {kind: name for name, kind in ACTIONS.items()}
_OWN_NAME = re.compile(r"^[a-z0-9][a-z0-9_]{0,62}$")


class RuleFieldError(BadInputError):
    """A field of a rule cannot be used; `field` names it, `line` tells where it stands in a text."""

    def __init__(self, message: str, field: str | None, line: int | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.line = line


def _text(longest: int) -> Any:
    return vol.All(str, vol.Length(min=1, max=longest), msg=f"a text of 1 to {longest} characters is wanted")


def _listed(one: Any) -> Any:
    """Take one entry or a list of them."""
    return vol.All(
        lambda given: given if isinstance(given, list) else [given], [one], vol.Length(min=1, max=MAX_LISTED)
    )


def _share(given: Any) -> float:
    return _number(given, 0.0, 1.0)


def _number(given: Any, lowest: float, highest: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not lowest <= given <= highest:
        raise vol.Invalid(f"a number from {lowest:g} to {highest:g} is wanted")
    return float(given)


def _between(lowest: float, highest: float) -> Callable[[Any], float]:
    return lambda given: _number(given, lowest, highest)


def _clock_time(given: Any) -> str:
    if isinstance(given, int) and not isinstance(given, bool):  # YAML reads 22:00 as a number in base 60
        minutes = given if given < DAY_MINUTES else given // 60
        given = f"{minutes // 60:02}:{minutes % 60:02}"
    try:
        return time.fromisoformat(given).replace(tzinfo=None).isoformat()
    except (TypeError, ValueError):
        raise vol.Invalid("a time such as 22:30 is wanted") from None


def _yes(given: Any) -> bool:
    if not isinstance(given, bool):
        raise vol.Invalid("true or false is wanted")
    return given


def _window(given: dict[str, Any]) -> dict[str, Any]:
    if not given or (given.get("after") is not None and given.get("after") == given.get("before")):
        raise vol.Invalid("give after, before or both, and not the same")
    return given


def _sun(given: dict[str, Any]) -> dict[str, Any]:
    if not given.keys() & {"state", "after", "before"}:
        raise vol.Invalid("give state (up or down), after or before")
    for name in ("after", "before"):
        if f"{name}_offset_min" in given and name not in given:
            raise vol.Invalid(f"{name}_offset_min needs {name}")
    return given


def _topic(given: Any) -> str:
    if not isinstance(given, str) or not 1 <= len(given) <= 1000 or re.search(r"[#+\x00]", given):
        raise vol.Invalid("a topic of 1 to 1000 characters without # and + is wanted")
    return given


def _own_name(given: Any) -> str:
    if not isinstance(given, str) or not _OWN_NAME.match(given):
        raise vol.Invalid("a name of small letters, digits and _ is wanted, such as alice_home")
    return given


def _one_kind(given: Any) -> Any:
    if not isinstance(given, dict) or len(given) != 1:
        raise vol.Invalid(f"each action is one of {', '.join(ACTIONS)}")
    return given


def _url(given: Any) -> str:
    try:
        return checked_url(given)
    except BadInputError as error:
        raise vol.Invalid(str(error).rstrip(".")) from None


_RULE_EVENTS = [str(one) for one in EventType if one is not EventType.RULE_FIRED]
_SUN_TIMES = ["dawn", "sunrise", "noon", "sunset", "dusk"]
_OFFSET = _between(-DAY_MINUTES, DAY_MINUTES)
_CONDITIONS = {
    "persons": _listed(_text(100)),
    "identity": _listed(vol.In(["known", "unknown", "undecided"])),
    "cameras": _listed(_text(63)),
    "zones": _listed(_text(100)),
    "labels": _listed(vol.In(sorted({*KNOWN_LABELS, "movement"}))),
    "min_probability": _share,
    "max_probability": _share,
    "time": vol.All({"after": _clock_time, "before": _clock_time}, _window),
    "sun": vol.All(
        {
            "state": vol.In(["up", "down"]),
            "after": vol.In(_SUN_TIMES),
            "after_offset_min": _OFFSET,
            "before": vol.In(_SUN_TIMES),
            "before_offset_min": _OFFSET,
        },
        _sun,
    ),
    "weekdays": _listed(vol.In(WEEKDAYS)),
    "presence": {"present": _listed(_text(100)), "absent": _listed(_text(100)), "anybody": _yes},
    "dwell_s": _between(1, MAX_DWELL_S),
}
_ACTION = vol.All(
    _one_kind,
    {
        "mqtt": {vol.Required("topic"): _topic, "payload": object, "retain": _yes},
        "webhook": {vol.Required("url"): _url, "body": object},
        "home_assistant": {vol.Required("name"): _own_name, "data": object},
        "keep_clip": {
            vol.Required("label"): _text(100),
            "before_s": _between(0, MAX_CLIP_S),
            "after_s": _between(0, MAX_CLIP_S),
        },
        "record": {vol.Required("duration_s"): _between(1, MAX_RECORD_S), "cameras": _listed(_text(63))},
        "privacy": {vol.Required("enabled"): _yes},
    },
)
_RULE = vol.Schema(
    {
        vol.Required("name"): _text(100),
        vol.Required("events"): _listed(vol.In(_RULE_EVENTS)),
        vol.Required("actions"): vol.All([_ACTION], vol.Length(min=1, max=MAX_ACTIONS)),
        "enabled": _yes,
        "late": _yes,
        "conditions": _CONDITIONS,
        "limit": vol.Any(
            None,
            {
                vol.Required("at_most"): vol.All(int, vol.Range(1, 1000)),
                vol.Required("per_s"): _between(1, MAX_SECONDS),
                "by": vol.In(["rule", "camera", "person"]),
            },
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Possible:
    """What this installation can do, so that a rule that could never fire or act is refused at once."""

    location: bool = True  # latitude and longitude are set


def rule_from(document: Any, rule_id: UUID, created_at: datetime, possible: Possible) -> Rule:
    """Return the rule that a document describes; raises RuleFieldError that names the field."""
    try:
        checked = _RULE(document)
    except vol.MultipleInvalid as error:
        first = min(error.errors, key=lambda one: (-len(one.path), str(one.path)))
        field = _place(first.path)
        raise RuleFieldError(_message(first, field), field or None) from None
    conditions = msgspec.convert(checked.get("conditions") or {}, Conditions)
    if conditions.sun is not None and not possible.location:
        raise RuleFieldError(
            "The sun's times need to know where you are: set latitude and longitude in the settings.", "conditions.sun"
        )
    limit = checked.get("limit")
    return Rule(
        rule_id=rule_id,
        name=checked["name"].strip() or checked["name"],
        event_types=tuple(dict.fromkeys(checked["events"])),
        actions=tuple(_action(one, f"actions[{number}]") for number, one in enumerate(checked["actions"])),
        created_at=created_at,
        enabled=checked.get("enabled", True),
        late=checked.get("late", False),
        conditions=conditions,
        limit=None if limit is None else msgspec.convert(limit, RateLimit),
    )


def rule_document(rule: Rule) -> dict[str, Any]:
    """Return a rule as a document that `rule_from` takes; what is as always is left out."""
    document: dict[str, Any] = {"name": rule.name, "events": list(rule.event_types)}
    if not rule.enabled:
        document["enabled"] = False
    if rule.late:
        document["late"] = True
    if conditions := conditions_document(rule.conditions):
        document["conditions"] = conditions
    if rule.limit is not None:
        document["limit"] = _told(rule.limit)
    document["actions"] = actions_document(rule.actions)
    return document


def conditions_document(conditions: Conditions) -> dict[str, Any]:
    """Return conditions as JSON values, without those that are not set."""
    return _told(conditions)


def actions_document(actions: tuple[Action, ...]) -> list[dict[str, Any]]:
    """Return actions as JSON values."""
    return [{_NAMES[type(one)]: _told(one)} for one in actions]


def action_name(action: Action) -> str:
    """Return an action's name in documents."""
    return _NAMES[type(action)]


def _action(given: dict[str, Any], place: str) -> Action:
    # Jinja is not for those who read no rules: it would be a twentieth of what ingest loads before it records.
    from marengocam.core.rules import template  # noqa: PLC0415 - loaded when needed

    ((name, values),) = given.items()
    for field in ("topic", "payload", "body", "data", "label"):
        if field in values:
            try:
                template.check(values[field], f"{place}.{name}.{field}")
            except template.TemplateProblemError as error:
                raise RuleFieldError(str(error), f"{place}.{name}.{field}") from None
    return msgspec.convert(values, ACTIONS[name])


def _told(value: Any) -> dict[str, Any]:
    """Return a value's fields that differ from their defaults, as JSON values."""
    told: dict[str, Any] = {}
    for one in fields(value):
        given = getattr(value, one.name)
        if given != one.default:
            told[one.name] = _told(given) if is_dataclass(given) else msgspec.json.decode(msgspec.json.encode(given))
    return told


def _place(path: list[Any]) -> str:
    place = ""
    for part in path:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    return place


def _message(error: vol.Invalid, field: str) -> str:
    text = {"required key not provided": "it is missing", "extra keys not allowed": "it is not known here"}.get(
        error.error_message, error.error_message
    )
    return f"Field {field or 'rule'!r} cannot be used: {text}."
