"""Who is one of the crowd, and how likely a track is each of them."""

from collections.abc import Mapping, Sequence
from math import isclose, log
from uuid import UUID

import pytest
from tests.support.resolver_scenes import ident, sight, track

from marengocam.core.identity import CameraGraph, Sight, Transit
from marengocam.resolver.composites import RETURN_ODDS, STRANGER_ODDS
from marengocam.resolver.crowd import NEAR_S, RECENT_S, Crowd
from marengocam.resolver.seen import columns_of
from marengocam.resolver.spacetime import transit_ratio

MINUTE_S = 60.0
USUAL = Transit(20, log(MINUTE_S), 0.3)
NO_WAY = CameraGraph()
NOTHING: Mapping[UUID, float] = {}


def crowd_of(
    *sights: Sight,
    faces: Mapping[UUID, float] = NOTHING,
    clothes: Mapping[UUID, float] = NOTHING,
    apart: Sequence[str] = (),
    graph: CameraGraph = NO_WAY,
) -> Crowd:
    whose = [one.identity_id for one in sights]
    columns = columns_of(sights, whose)
    looks = [(columns.individuals.coded(said), list(said.values())) for said in (faces, clothes)]
    return Crowd(track(), columns, looks, {ident(one) for one in apart}, graph)


def ago(name: str, seconds: float, *, camera: str = "yard", number: int = 0) -> Sight:
    return sight(f"{name} {number} {camera}", name, camera=camera, start_s=-seconds - 5, end_s=-seconds)


def log_odds(crowd: Crowd) -> dict[UUID, float]:
    return dict(zip(crowd.keys, crowd.log_odds(1.0), strict=True))


def weighing(apart_s: float) -> float:
    return log(RETURN_ODDS / (1 + apart_s / RECENT_S))


def test_who_was_seen_long_before_and_is_unlike_is_one_of_the_crowd() -> None:
    crowd = crowd_of(ago("one", 300), ago("other", 600), clothes={ident("one"): -2.0})
    assert crowd.standing_out == []
    found = log_odds(crowd)
    assert isclose(found[ident("one")], weighing(300) - 2.0)
    assert isclose(found[ident("other")], weighing(600))


@pytest.mark.parametrize("seconds", [NEAR_S - 1, 0.0, -NEAR_S])
def test_who_was_seen_shortly_before_or_after_stands_out(seconds: float) -> None:
    assert crowd_of(ago("one", 300), ago("one", seconds, number=1)).standing_out == [ident("one")]


def test_who_is_alike_or_is_spoken_about_stands_out() -> None:
    sights = [ago(name, 300) for name in ("face", "clothes", "denied", "passer")]
    likeness = {"faces": {ident("face"): 0.1}, "clothes": {ident("clothes"): 0.1, ident("passer"): -0.1}}
    crowd = crowd_of(*sights, **likeness, apart=("denied", "nobody here"))
    assert set(crowd.standing_out) == {ident("face"), ident("clothes"), ident("denied")}
    assert crowd.keys == [ident("passer")]


def test_who_is_seen_only_later_counts_by_how_much_later() -> None:
    later = [
        sight(f"later {number}", "one", camera="yard", start_s=seconds, end_s=seconds + 5)
        for number, seconds in enumerate((400.0, 200.0, 300.0))
    ]
    assert isclose(log_odds(crowd_of(*later))[ident("one")], weighing(200))
    assert isclose(log_odds(crowd_of(*later, ago("one", 100)))[ident("one")], weighing(100))


def test_whose_face_alone_is_remembered_is_a_stranger_of_before() -> None:
    crowd = crowd_of(faces={ident("one"): -3.0})
    assert crowd.weights == [0.0]
    assert isclose(log_odds(crowd)[ident("one")], log(STRANGER_ODDS) - 3.0)


def test_the_way_from_the_last_sight_alone_counts() -> None:
    graph = CameraGraph({("yard", "front"): USUAL})
    assert crowd_of(ago("one", MINUTE_S), graph=graph).standing_out == [ident("one")]
    for number in range(4):  # whatever the ids
        elsewhere_since = ago("one", MINUTE_S, number=number), ago("one", MINUTE_S / 2, camera="hall")
        for sights in (elsewhere_since, elsewhere_since[::-1]):
            assert crowd_of(*sights, graph=graph).standing_out == []
    late = log_odds(crowd_of(ago("one", 1200), graph=graph))[ident("one")]
    assert isclose(late, weighing(1200) + transit_ratio(USUAL, 1200))
    assert transit_ratio(USUAL, 1200) < -1


def test_of_two_last_sights_at_one_moment_the_same_one_counts_in_any_order() -> None:
    graph = CameraGraph({("yard", "front"): USUAL, ("hall", "front"): Transit(20, log(1200.0), 0.3)})
    sights = [ago("one", MINUTE_S), ago("one", MINUTE_S, camera="hall")]
    last = max(sights, key=lambda one: one.local_track_id)
    for ordered in (sights, sights[::-1]):
        assert bool(crowd_of(*ordered, graph=graph).standing_out) == (last.camera_id == "yard")


def test_sights_are_given_back_of_those_asked_for() -> None:
    sights = ago("one", 300), ago("other", 200), ago("one", 100)
    found = crowd_of(*sights).sights_of([ident("one"), ident("nobody here")])
    assert found == {ident("one"): [sights[2], sights[0]], ident("nobody here"): []}
