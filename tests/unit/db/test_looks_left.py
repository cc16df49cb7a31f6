"""Whose looks are gone through for being too many."""

from dataclasses import replace

from tests.support.resolver_scenes import ident, track

from marengocam.core.identity import Assignment, ClaimedTrack, Outcome
from marengocam.db.looks_left import LooksLeft

MOST = 3


def placed(identity: str, *, was: str | None = None, founds: bool = False, joined: str | None = None) -> Outcome:
    before = Assignment(ident(was), None, 0.5, "resolver", None, False, track().last_seen_at, True) if was else None
    outcome = Outcome(ClaimedTrack(track(), 1, before), ident(identity), founds=founds)
    return replace(outcome, joined_identity_id=ident(joined) if joined else None)


def test_somebody_new_has_room_for_a_turns_first_tracks() -> None:
    looks = LooksLeft(MOST)
    assert looks.too_many([placed("new", founds=True), placed("new")]) == set()
    assert looks.too_many([placed("new")]) == set()
    assert looks.too_many([placed("new")]) == {ident("new")}
    assert looks.too_many([placed("new"), placed("other", founds=True)]) == {ident("new")}


def test_whoever_was_there_before_the_turn_may_be_full() -> None:
    assert LooksLeft(MOST).too_many([placed("old"), placed("new", founds=True)]) == {ident("old")}


def test_a_track_that_stays_fills_nobody() -> None:
    assert LooksLeft(MOST).too_many([placed("old", was="old")]) == set()
    assert LooksLeft(MOST).too_many([placed("old", was="other")]) == {ident("old")}


def test_somebody_new_who_is_found_to_be_another_has_the_looks_of_both() -> None:
    looks = LooksLeft(MOST)
    assert looks.too_many([placed("new", founds=True)]) == set()
    assert looks.too_many([placed("new", joined="old")]) == {ident("new")}
    assert looks.too_many([placed("new")]) == {ident("new")}
