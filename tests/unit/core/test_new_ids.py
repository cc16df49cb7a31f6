"""Ids of one millisecond: in the order of their numbers, if they have any."""

from datetime import UTC, datetime

from marengocam.core.ids import new_id

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_numbered_ids_of_one_moment_rise() -> None:
    made = [new_id(NOON, number) for number in range(4096)]
    assert made == sorted(made)
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
