"""An owner's expectations in words, and what a report says to them."""

from datetime import UTC, datetime, timedelta

import pytest

from marengocam.core.errors import BadInputError
from marengocam.replay.expectation import judge, parse

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
UPTO = NOON + timedelta(minutes=1)


def report(*tracks: tuple[str, str | None, list[str], float]) -> dict:
    return {
        "tracks": [
            {
                "label": label,
                "person_name": name,
                "zones": zones,
                "score": 0.8,
                "first_seen_at": (NOON + timedelta(seconds=at_s)).isoformat(),
                "last_seen_at": (NOON + timedelta(seconds=at_s + 5)).isoformat(),
            }
            for label, name, zones, at_s in tracks
        ]
    }


ALICE = ("person", "Alice", ["Drive"], 10.0)
STRANGER = ("person", None, [], 20.0)
LATER = ("car", None, [], 100.0)


@pytest.mark.parametrize(
    ("expected", "shown", "passes"),
    [
        ("person", [STRANGER], True),
        ("person", [LATER], False),
        ("person:Alice", [ALICE], True),
        ("person:Bob", [ALICE], False),
        ("unknown", [ALICE], False),
        ("unknown", [ALICE, STRANGER], True),
        ("person zone:Drive", [ALICE], True),
        ("person zone:Lawn", [ALICE], False),
        ("car", [LATER], False),
        ("nothing", [LATER], True),
        ("nothing", [STRANGER], False),
    ],
)
def test_a_report_meets_an_expectation_or_not(expected: str, shown: list, passes: bool) -> None:
    passed, seen = judge(parse(expected), report(*shown), NOON, UPTO)
    assert passed is passes
    assert seen


@pytest.mark.parametrize("text", ["", "mailman", "person:", "nothing zone:Drive", "person zone:"])
def test_what_cannot_be_expected_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(BadInputError, match="Say nothing"):
        parse(text)
