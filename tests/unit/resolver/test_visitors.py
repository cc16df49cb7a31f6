"""When two unknown identities of one visit are found to be one individual."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from tests.support.resolver_scenes import (
    CLOTHES_ALIKE,
    NOON,
    REID_MODEL,
    around,
    clothes_of,
    ident,
    sight,
    track,
    twice,
)

from marengocam.core.calibration import appearance_log_ratio
from marengocam.core.identity import CameraGraph, Portraits, Surroundings, Transit
from marengocam.resolver.decision import Verdict, decide
from marengocam.resolver.likeness import alike_clothes

CONFIRM = 0.95
FIRST, SECOND, THIRD = "first", "second", "third"
NOWHERE = CameraGraph()


def visit(*names: str, alike: float = CLOTHES_ALIKE) -> Surroundings:
    """Return unknowns seen one after another in other cameras; the track looks like each, and they like each other."""
    surroundings = around(
        sights=tuple(
            sight(name, name, camera=f"camera{place}", start_s=20.0 * place - 80, end_s=20.0 * place - 70)
            for place, name in enumerate(names)
        ),
        likenesses=tuple(clothes_of(name, 0.6, seconds=-60) for name in names),
    )
    return replace(surroundings, alike_clothes=twice(names, alike))


def verdict(surroundings: Surroundings, graph: CameraGraph = NOWHERE) -> Verdict:
    return decide(track(clothes=True), surroundings, graph, None, CONFIRM)


def joined(surroundings: Surroundings, graph: CameraGraph = NOWHERE) -> tuple[object, object]:
    chosen = verdict(surroundings, graph).chosen
    return chosen.joins, chosen.identity_id


def test_two_with_like_clothes_become_one_and_keep_the_identity_seen_first():
    assert joined(visit(FIRST, SECOND)) == (ident(SECOND), ident(FIRST))
    assert joined(visit(SECOND, FIRST)) == (ident(FIRST), ident(SECOND))


def test_who_looks_different_stays_two():
    assert joined(visit(FIRST, SECOND, alike=-1.0))[0] is None


def test_a_likeness_that_may_be_chance_joins_nobody():
    assert joined(visit(FIRST, SECOND, alike=0.5))[0] is None


def test_the_more_people_are_about_the_more_alike_two_must_be():
    some = visit(FIRST, SECOND, alike=2.5)
    assert joined(some)[0] is not None
    others = tuple(sight(f"other{n}", f"other{n}", camera="far", start_s=-60, end_s=-50) for n in range(12))
    assert joined(replace(some, sights=(*some.sights, *others)))[0] is None


def test_who_was_seen_at_once_in_one_view_stays_two():
    surroundings = visit(FIRST, SECOND)
    beside = sight("beside", SECOND, camera="camera0", start_s=-79, end_s=-72)
    assert joined(replace(surroundings, sights=(*surroundings.sights, beside)))[0] is None


def at_once(*names: str) -> Surroundings:
    """Return unknowns seen at the same time, each in a view of its own."""
    surroundings = visit(*names)
    sights = tuple(sight(n, n, camera=f"camera{p}", start_s=-30, end_s=-5) for p, n in enumerate(names))
    return replace(surroundings, sights=sights)


def test_who_was_seen_at_once_in_two_views_that_are_not_known_to_overlap_stays_two():
    assert joined(at_once(FIRST, SECOND))[0] is None


def test_who_was_seen_at_once_in_two_views_that_overlap_becomes_one():
    told = {("camera0", "camera1"): True, ("camera1", "camera0"): True}
    assert joined(at_once(FIRST, SECOND), CameraGraph(overlaps=told))[0] is not None
    told_not = dict.fromkeys(told, False)
    assert joined(at_once(FIRST, SECOND), CameraGraph(overlaps=told_not))[0] is None


def witnesses(alike: float) -> Surroundings:
    """Return two at once in two views, and two others in the same views who are so alike."""
    surroundings = at_once(FIRST, SECOND)
    others = tuple(sight(n, n, camera=f"camera{p}", start_s=-30, end_s=-5) for p, n in enumerate(("here", "there")))
    return replace(surroundings, sights=(*surroundings.sights, *others), alike_others=twice(("here", "there"), alike))


def test_others_with_their_like_in_the_other_view_show_that_two_views_overlap():
    assert joined(witnesses(4.5))[0] is not None
    assert joined(witnesses(-3.0))[0] is None


def test_a_way_that_nobody_walks_so_fast_keeps_two_apart():
    surroundings = visit(FIRST, SECOND)
    assert (
        joined(surroundings, CameraGraph({("camera0", "camera1"): Transit(20, float(np.log(10)), 0.4)}))[0] is not None
    )
    slow = CameraGraph({("camera0", "camera1"): Transit(20, float(np.log(600)), 0.4)})
    assert joined(surroundings, slow)[0] is None


@pytest.mark.parametrize("what", ["spoken_about", "ignored", "denied"])
@pytest.mark.parametrize("who", [FIRST, SECOND])
def test_whom_a_human_spoke_about_is_left_alone(what, who):
    said = frozenset({(ident(who), ident("Alice"))} if what == "denied" else {ident(who)})
    assert joined(replace(visit(FIRST, SECOND), **{what: said}))[0] is None


def test_three_of_one_individual_do_not_stand_in_each_others_way():
    assert joined(visit(FIRST, SECOND, THIRD))[0] is not None


def test_who_may_be_either_of_two_who_are_not_one_stays_what_it_is():
    surroundings = visit(FIRST, SECOND, THIRD)
    beside = sight("beside", SECOND, camera="camera0", start_s=-79, end_s=-72)
    assert joined(replace(surroundings, sights=(*surroundings.sights, beside)))[0] is None


def test_the_order_of_arrival_does_not_matter():
    surroundings = visit(FIRST, SECOND, THIRD)
    pairs = list(surroundings.alike_clothes.items())
    outcomes = {
        joined(replace(surroundings, sights=sights, alike_clothes=dict(reversed(pairs) if turn % 2 else pairs)))
        for turn, sights in enumerate(permutations(surroundings.sights))
    }
    assert len(outcomes) == 1


def portraits(owner: list[int], vectors: np.ndarray) -> Portraits:
    many = len(owner) + 1
    at_s = np.full(many, NOON.timestamp())
    names = (ident(FIRST), ident(SECOND), ident(THIRD))
    return Portraits(REID_MODEL, names, np.array(owner), vectors, np.full(many, 0.9), at_s, np.full(many, 1.0))


def test_likeness_is_that_of_all_looks_of_both():
    rng = np.random.default_rng(5)
    vectors = np.abs(rng.normal(size=(6, 8)))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = alike_clothes(portraits([0, 0, 1, 1, 1], vectors))

    def weighed(rows: list[int], columns: list[int]) -> float:
        table = [
            [np.exp(appearance_log_ratio(REID_MODEL, float(vectors[a] @ vectors[b]), 0.9, 0.9, 0.0)) for b in columns]
            for a in rows
        ]
        sides = np.log(np.mean(table, axis=1)).mean(), np.log(np.mean(table, axis=0)).mean()
        return float(sum(sides)) / 2

    pair = (ident(FIRST), ident(SECOND))
    assert found.apart[pair] == pytest.approx(weighed([1, 2], [3, 4, 5]), abs=0.02)
    assert found.apart[pair] == pytest.approx(found.apart[pair[::-1]])
    assert found.with_track[pair] == pytest.approx(weighed([0, 1, 2], [3, 4, 5]), abs=0.02)
    assert found.with_track[pair[::-1]] == pytest.approx(weighed([0, 3, 4, 5], [1, 2]), abs=0.02)
    assert set(found.apart) == {pair, pair[::-1]}, "whose looks are not known is like nobody"
