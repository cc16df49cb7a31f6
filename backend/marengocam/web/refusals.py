"""Why a body cannot be used, and what to send instead, in words of ours: the JSON library's are a programmer's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import inspect

from marengocam.web.wire.base import CAMERA_ID

LONGEST_VALUE = 60  # characters of what was given that are repeated
DESCRIBED = "the description at /api/v1/openapi.json says what is taken"
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "an id",
    "datetime": "a time",
}
BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
PARTS = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("entry", "entries")}
FORMS = {CAMERA_ID: "an id of small letters, digits and underscores, 63 at most, such as front_door"}
A_TIME = "a time such as 2026-06-01T12:00:00+02:00"
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at (?:(?P<key>`key`) in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<entry>\d+|\.\.\.)\]")
_BYTE = re.compile(r"\(byte (\d+)\)")


def unlike_model(problem: str, model: type[Any]) -> tuple[str, str | None]:
    """Return what to tell of JSON that a model does not take, and which field it is about.

    `problem` is what msgspec says.
    """
    found = _PLACE.match(problem)
    path = (found["path"] or "") if found else ""
    what = found["what"] if found else problem
    place = path.lstrip(".")
    for pattern, said in _ABOUT_FIELDS:
        if match := re.fullmatch(pattern, what, re.DOTALL):
            name = match[1]
            return said(name, _types_at(model, path)), f"{place}.{name}".lstrip(".")
    for pattern, wanted in _WANTED:
        if match := re.fullmatch(pattern, what, re.DOTALL):
            return f"{_subject(place, found)} takes {wanted(match, _types_at(model, path))}.", place or None
    return f"{_subject(place, found)} cannot be used as it was given; {DESCRIBED}.", place or None


def no_json(problem: Exception, content: bytes) -> str:
    """Return what to tell of a body that is no JSON at all."""
    if not content.strip():
        return "The body is empty: send JSON."
    if isinstance(problem, UnicodeDecodeError):
        return "The body is no text in UTF-8: send JSON in UTF-8."
    if byte := _BYTE.search(str(problem)):
        return f"The body is not valid JSON: look at its byte {byte[1]}, counted from 0."
    return "The body is not valid JSON: it ends too early."


def _subject(place: str, found: re.Match[str] | None) -> str:
    if not place:
        return "The body"
    return f"A name within field {place}" if found is not None and found["key"] else f"Field {place}"


def _other_kind(match: re.Match[str], _types: list[inspect.Type]) -> str:
    kinds = [KINDS.get(one.strip(), "what is described") for one in match[1].split("|")]
    return f"{' or '.join(dict.fromkeys(kinds))}, not {KINDS.get(match[2], 'that')}"


def _bounded(match: re.Match[str], _types: list[inspect.Type]) -> str:
    return f"{KINDS.get(match[1], 'a value')} of {BOUNDS[match[2]]} {float(match[3]):g}"


def _sized(match: re.Match[str], _types: list[inspect.Type]) -> str:
    number, (one, more) = int(match[3]), PARTS.get(match[1], ("part", "parts"))
    bound = BOUNDS[match[2]] if match[2] else "exactly"
    return f"{KINDS.get(match[1], 'a value')} of {bound} {number} {one if number == 1 else more}"


def _one_of(match: re.Match[str], types: list[inspect.Type]) -> str:
    given = match[1] if len(match[1]) <= LONGEST_VALUE else f"{match[1][:LONGEST_VALUE]}..."
    choices = ", ".join(_choices(types))
    return f"one of {choices}, not {given}" if choices else f"no {given}; {DESCRIBED}"


def _missing(name: str, _types: list[inspect.Type]) -> str:
    return f"Field {name} is missing: give it."


def _unknown(name: str, types: list[inspect.Type]) -> str:
    known = ", ".join(field.encode_name for one in types if isinstance(one, inspect.StructType) for field in one.fields)
    shown = name if len(name) <= LONGEST_VALUE else f"{name[:LONGEST_VALUE]}..."
    return f"There is no field {shown} here; there are {known}." if known else f"There is no field {shown} here."


Wanted = Callable[[re.Match[str], list[inspect.Type]], str]
_ABOUT_FIELDS = (
    ("Object missing required field `(.*)`", _missing),
    ("Object contains unknown field `(.*)`", _unknown),
)
_WANTED: tuple[tuple[str, Wanted], ...] = (
    (r"Expected `([^`]*)`, got `([^`]*)`", _other_kind),
    (r"Expected `([^`]*)` (>=|<=|>|<) (\S+)", _bounded),
    (r"Expected `([^`]*)` of length (?:(>=|<=|>|<) )?(\d+)", _sized),
    (r"Expected `str` matching regex '(.*)'", lambda match, _: FORMS.get(match[1], f"a text of the form {match[1]}")),
    (r"Invalid enum value (.*)", _one_of),
    (r"Invalid UUID", lambda _match, _: "an id such as 019e8275-0bbe-72ca-9d38-3c2f6f3f5d10"),
    (r"Invalid RFC3339 encoded datetime", lambda _match, _: A_TIME),
    (r"Expected `datetime` with a timezone component", lambda _match, _: f"{A_TIME}, with its zone"),
    (r"(?:Number|Integer value) out of range", lambda _match, _: "no number so large"),
)


def _types_at(model: type[Any], path: str) -> list[inspect.Type]:
    """Return what a model takes at a place; empty: the place leads nowhere."""
    types = list(_each(inspect.type_info(model)))
    for step in _STEP.finditer(path):
        types = [
            inner for one in types for within in _within(one, step["name"], step["entry"]) for inner in _each(within)
        ]
    return types


def _each(one: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types that one type stands for."""
    if isinstance(one, inspect.UnionType):
        for part in one.types:
            yield from _each(part)
    else:
        yield one


def _within(one: inspect.Type, name: str | None, entry: str | None) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.StructType):
        yield from (field.type for field in one.fields if field.encode_name == name)
    elif isinstance(one, inspect.DictType) and entry == "...":
        yield one.value_type
    elif isinstance(one, inspect.ListType | inspect.VarTupleType) and entry is not None:
        yield one.item_type
    elif isinstance(one, inspect.TupleType) and entry is not None and entry.isdecimal():
        yield from one.item_types[int(entry) : int(entry) + 1]


def _choices(types: list[inspect.Type]) -> Iterator[str]:
    for one in types:
        if isinstance(one, inspect.LiteralType):
            yield from map(str, one.values)
        elif isinstance(one, inspect.EnumType):
            yield from (str(member.value) for member in one.cls)
