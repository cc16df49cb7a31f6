"""Sights of a turn and their columns: whatever happens to them, a decision gets what a plain list would give."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.resolver_scenes import NOON, ident, sight

from marengocam.core.identity import Looks, Sight
from marengocam.resolver.fusion import Weighed
from marengocam.resolver.seen import MORE_SIGHTS, Seen, of_late

NAMES = "abc"
NOON_S = NOON.timestamp()
moments = st.integers(0, 20)
changes = st.lists(
    st.tuples(st.sampled_from(["see", "again", "name", "unname", "join", "speak"]), moments), max_size=12
)


class Plain:
    """The same without columns: every question goes through all sights."""

    def __init__(self, sights: list[Sight], named: dict[UUID, UUID | None]) -> None:
        self.sights, self.named, self.spoken_about = sights, named, set[UUID]()

    def change(self, which: Callable[[Sight], bool], **changes: UUID | None) -> None:
        self.sights = [one._replace(**changes) if which(one) else one for one in self.sights]

    def between(self, from_s: float, to_s: float, but: UUID, most: int) -> list[tuple[Sight, UUID]]:
        newest = sorted(self.sights, key=lambda one: (-one.last_s, one.local_track_id.int))
        chosen = [one for one in newest if from_s <= one.last_s <= to_s and one.local_track_id != but][:most]
        return [(one, self.whose(one)) for one in chosen]

    def whose(self, one: Sight) -> UUID:
        called = one.identity_id not in self.spoken_about and self.named.get(one.identity_id) is not None
        return one.identity_id if one.person_id is None or called else one.person_id


@given(st.lists(st.tuples(st.sampled_from(NAMES), moments), max_size=8), changes, moments, moments, st.integers(1, 9))
def test_columns_tell_what_a_list_would(
    first: list[tuple[str, int]], then: list[tuple[str, int]], from_s: int, span_s: int, most: int
) -> None:
    named: dict[UUID, UUID | None] = {}
    from_at_s = NOON_S + from_s
    sights = [sight(f"track {n}", name, start_s=at_s - 3, end_s=at_s) for n, (name, at_s) in enumerate(first)]
    plain, seen = Plain(sights, named), Seen(sights, named, frozenset())
    for number, (what, at_s) in enumerate(then):
        one, other = ident(NAMES[at_s % 3]), ident(NAMES[(at_s + 1) % 3])
        if what in {"see", "again"}:
            again = what == "again" and bool(plain.sights)
            name = f"track {at_s % len(first)}" if again and first else f"more {number}"
            new = sight(name, NAMES[at_s % 3], start_s=at_s - 3, end_s=at_s)._replace(person_id=named.get(one))
            plain.sights = [*(old for old in plain.sights if old.local_track_id != new.local_track_id), new]
            seen.see(new, again=again)
        elif what in {"name", "unname"}:
            named[one] = ident("Alice") if what == "name" else None
            plain.change(lambda each, one=one: each.identity_id == one, person_id=named[one])
            seen.name(one, named[one])
        elif what == "join":
            plain.change(lambda each, one=one: each.identity_id == one, identity_id=other)
            seen.join(one, other)
        else:
            plain.spoken_about.add(one)
            seen.speak(frozenset(plain.spoken_about))
    found = seen.between(from_at_s, from_at_s + span_s, ident("track 0"), most)
    keys = found.individuals.ids
    told = [(one, keys[code]) for one, code in zip(found.sights, found.owner.tolist(), strict=True)]
    assert told == plain.between(from_at_s, from_at_s + span_s, ident("track 0"), most)
    assert [keys[code] for code in found.identity.tolist()] == [one.identity_id for one in found.sights]
    cameras = {code: camera for camera, code in found.camera_codes.items()}
    assert [cameras[code] for code in found.cameras.tolist()] == [one.camera_id for one in found.sights]
    assert found.firsts.tolist() == [one.first_s for one in found.sights]
    assert found.lasts.tolist() == [one.last_s for one in found.sights]
    assert list(of_late(found.sights, from_at_s + 2)) == [one for one in found.sights if one.last_s >= from_at_s + 2]


def test_a_turn_may_see_more_than_there_is_room_for() -> None:
    seen = Seen([], {}, frozenset())
    for number in range(2 * MORE_SIGHTS + 1):
        seen.see(sight(f"track {number}", f"one {number}", end_s=number % 7), again=False)
    found = seen.between(NOON_S - 1, NOON_S + 10, ident("nobody"), 1000)
    assert len(found.sights) == 2 * MORE_SIGHTS + 1
    assert sorted(found.owner.tolist()) == list(range(2 * MORE_SIGHTS + 1))


def test_what_a_decision_was_given_stays_as_it_was() -> None:
    seen = Seen([sight("track", "one", end_s=5)], {}, frozenset())
    found = seen.between(NOON_S, NOON_S + 10, ident("nobody"), 10)
    seen.see(sight("newer", "other", end_s=6), again=False)
    assert found.lasts.tolist() == [NOON_S + 5]


@pytest.mark.parametrize("each", [3, 8])
def test_of_looks_that_say_as_much_the_likest_and_then_the_oldest_is_told(each: int) -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        owner = np.repeat(np.arange(4), each)
        looks = _looks(owner, rng.integers(0, 2, len(owner)) / 4, rng.permutation(len(owner)).astype(float))
        ratios = rng.integers(-1, 2, len(owner)).astype(float)
        weighed = Weighed(looks, ratios)
        for code, key in enumerate(looks.owners):
            own = [row for row in range(len(owner)) if owner[row] == code]
            best = min(own, key=lambda row: (-ratios[row], -looks.cosines[row], looks.at_s[row]))
            assert weighed.get(key).exemplar_id == looks.exemplar_ids[best]


def _looks(owner: np.ndarray, cosines: np.ndarray, at_s: np.ndarray) -> Looks:
    rows = np.arange(len(owner))
    keys = tuple(ident(f"one {code}") for code in range(int(owner.max()) + 1))
    ids = [ident(f"look {row}") for row in rows]
    quality, trust = np.full(len(owner), 0.8), np.full(len(owner), 0.9)
    return Looks("model", keys, owner, cosines, quality, at_s, trust, rows, ids, ids)


def test_whom_a_human_named_is_that_person_whom_the_resolver_called_so_stays_an_identity() -> None:
    named: dict[UUID, UUID | None] = {ident("one"): ident("Alice")}
    seen = Seen([sight("track", "one", of="Alice", end_s=5)], named, frozenset())

    def whose() -> list[UUID]:
        found = seen.between(NOON_S, NOON_S + 10, ident("nobody"), 10)
        return [found.individuals.ids[code] for code in found.owner.tolist()]

    assert whose() == [ident("one")]
    seen.speak(frozenset({ident("one")}))
    assert whose() == [ident("Alice")]
