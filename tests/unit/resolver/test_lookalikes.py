"""A person and somebody a human said is not that person."""

import pytest
from tests.support.resolver_scenes import ident

from marengocam.resolver.cues import Cue, CueKind
from marengocam.resolver.hypothesis import Individual
from marengocam.resolver.lookalikes import SLOPE, told_apart

ALICE = Individual(None, frozenset(), ident("Alice"), ())
TWIN = Individual(ident("twin"), frozenset({ident("twin")}), None, ())
DENIED = frozenset({(ident("twin"), ident("Alice"))})


def face(ratio: float, cosine: float) -> list[Cue]:
    return [Cue(CueKind.APPEARANCE, 1.0, {}), Cue(CueKind.FACE, ratio, {"cosine": cosine})]


def ratios(looks: dict[Individual, list[Cue]]) -> dict[str, float]:
    names = {ALICE: "Alice", TWIN: "twin"}
    return {names[one]: next(cue.log_ratio for cue in cues if cue.kind is CueKind.FACE) for one, cues in looks.items()}


def test_who_looks_more_alike_wins_though_both_look_alike() -> None:
    told = ratios(told_apart({ALICE: face(9.0, 0.95), TWIN: face(9.0, 0.6)}, DENIED))
    assert told == {"Alice": 9.0, "twin": pytest.approx(9.0 - SLOPE * 0.35)}
    told = ratios(told_apart({ALICE: face(9.0, 0.6), TWIN: face(9.0, 0.95)}, DENIED))
    assert told == {"Alice": pytest.approx(9.0 - SLOPE * 0.35), "twin": 9.0}


def test_what_speaks_against_somebody_already_is_not_made_weaker() -> None:
    looks = {ALICE: face(9.0, 0.7), TWIN: face(-4.0, 0.65)}
    assert ratios(told_apart(looks, DENIED)) == {"Alice": 9.0, "twin": -4.0}


def test_others_are_compared_as_ever() -> None:
    looks = {ALICE: face(9.0, 0.95), TWIN: face(9.0, 0.6)}
    assert told_apart(looks, frozenset()) == looks
    faceless = {ALICE: face(9.0, 0.9), TWIN: [Cue(CueKind.APPEARANCE, 2.0, {})]}
    assert told_apart(faceless, DENIED) == faceless
