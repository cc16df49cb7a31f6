"""What a client is told of a body that cannot be used: which field, and what to send instead, whatever is sent."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marengocam.web.refusals import no_json, unlike_model
from marengocam.web.service import ROUTES
from marengocam.web.wire.base import CameraId, Given, Name, Share

BODIES = [route.body for route in ROUTES if route.body is not None]
NAMES = sorted({field.encode_name for body in BODIES for field in msgspec.structs.fields(body)})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(-2, 2, allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


class Inner(Given):
    pace: Literal["fast", "slow"] = "fast"
    name: Name = "a"


class Body(Given):
    count: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    share: Share = 0.0
    label: Annotated[str, msgspec.Meta(max_length=3)] = ""
    camera_id: CameraId = "front"
    tracks: Annotated[list[UUID], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=list)
    names: dict[Name, Name] = msgspec.field(default_factory=dict)
    at: datetime | None = None
    seen_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    corners: list[tuple[Share, Share]] = msgspec.field(default_factory=list)
    inner: list[Inner] = msgspec.field(default_factory=list)


class Named(Given):
    name: Name


def refusal(text: str | bytes, model: type = Body) -> tuple[str, str | None]:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.json.decode(text, type=model)
    return unlike_model(str(raised.value), model)


@pytest.mark.parametrize(
    ("text", "message", "field"),
    [
        ('{"count": "x"}', "Field count takes a whole number or null, not a text.", "count"),
        ('{"count": 9}', "Field count takes a whole number of at most 5.", "count"),
        ('{"share": -1}', "Field share takes a number of at least 0.", "share"),
        ('{"label": "abcd"}', "Field label takes a text of at most 3 characters.", "label"),
        ('{"tracks": []}', "Field tracks takes a list of at least 1 entry.", "tracks"),
        ('{"corners": [[1]]}', "Field corners[0] takes a list of exactly 2 entries.", "corners[0]"),
        ('{"corners": [[0, 2]]}', "Field corners[0][1] takes a number of at most 1.", "corners[0][1]"),
        ('{"names": {"": "b"}}', "A name within field names takes a text of at least 1 character.", "names"),
        ('{"names": {"a": 1}}', "Field names[...] takes a text, not a whole number.", "names[...]"),
        ('{"inner": [{"pace": "x"}]}', "Field inner[0].pace takes one of fast, slow, not 'x'.", "inner[0].pace"),
        ('{"inner": [{"zz": 1}]}', "There is no field zz here; there are pace, name.", "inner[0].zz"),
        ("[]", "The body takes an object, not a list.", None),
        ('{"at": "noon"}', "Field at takes a time such as 2026-06-01T12:00:00+02:00.", "at"),
    ],
)
def test_it_is_said_which_field_it_is_and_what_it_takes(text: str, message: str, field: str | None) -> None:
    assert refusal(text) == (message, field)


def test_what_is_missing_is_named() -> None:
    assert refusal("{}", Named) == ("Field name is missing: give it.", "name")


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ('{"tracks": ["x"]}', '{"tracks": ["%s"]}'),
        ('{"at": "noon"}', '{"at": "%s"}'),
        ('{"seen_at": "2026-01-01T00:00:00"}', '{"seen_at": "%s"}'),
        ('{"camera_id": "Front door"}', '{"camera_id": "%s"}'),
    ],
)
def test_the_example_that_is_given_is_taken(text: str, example: str) -> None:
    message, _ = refusal(text)
    shown = message.split("such as ")[1].removesuffix(".").split(", with")[0]
    msgspec.json.decode(example % shown, type=Body)


def test_what_was_given_is_not_repeated_at_length() -> None:
    assert len(refusal('{"inner": [{"pace": "%s"}]}' % ("x" * 5000))[0]) < 200
    assert len(refusal('{"%s": 1}' % ("x" * 5000))[0]) < 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The body is empty: send JSON."),
        (b" \n", "The body is empty: send JSON."),
        (b'{"a": ', "The body is not valid JSON: it ends too early."),
        (b'{"label": }', "The body is not valid JSON: look at its byte 10, counted from 0."),
        (b'{"label": "\xff"}', "The body is no text in UTF-8: send JSON in UTF-8."),
    ],
)
def test_what_is_no_json_is_told_with_its_place(content: bytes, message: str) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as raised:
        msgspec.json.decode(content, type=Body)
    assert no_json(raised.value, content) == message


def test_every_route_that_takes_a_body_is_among_these() -> None:
    assert len(BODIES) > 20


@settings(max_examples=400)
@given(body=st.sampled_from(BODIES), content=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_no_programmer_s_words_reach_a_client(body: type[msgspec.Struct], content: dict) -> None:
    try:
        msgspec.json.decode(msgspec.json.encode(content), type=body)
    except msgspec.ValidationError as error:
        problem = str(error)
    else:
        return
    message, _ = unlike_model(problem, body)
    assert "cannot be used as it was given" not in message, f"no words for {problem}"
    assert not any(word in message for word in ("Expected", "Object ", "`", "regex", "enum")), message
    assert message.endswith(".")
