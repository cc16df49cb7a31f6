"""What learned journeys and overlapping views change."""

from dataclasses import replace
from math import isclose, log

import pytest
from tests.support.resolver_scenes import sight, track

from marengocam.core.identity import CameraGraph, Covisibility, Transit
from marengocam.resolver.cues import CueKind
from marengocam.resolver.spacetime import LONGEST_S, elsewhere_ratio, known_way, place_cues, transit_ratio, way_ratio


def ratio(cues, kind):
    return sum(cue.log_ratio for cue in cues if cue.kind is kind)


def test_a_learned_walk_speaks_for_its_usual_time_and_against_a_leap():
    walk = Transit(count=30, mean_log_s=log(20), deviation_log_s=0.3)
    assert transit_ratio(walk, 20) > 1
    assert transit_ratio(walk, 1) < -2
    assert transit_ratio(walk, 900) < -2


@pytest.mark.parametrize("seconds", [5, 900])
def test_the_fewer_journeys_the_less_they_say_for_a_time_and_against_it(seconds):
    ratios = [transit_ratio(Transit(count, log(5), 0.1), seconds) for count in (0.01, 0.5, 2, 8, 40)]
    assert abs(ratios[0]) < 0.2
    assert [abs(one) for one in ratios] == sorted(abs(one) for one in ratios)
    assert abs(ratios[-1]) > 2


def test_a_way_that_nobody_went_says_nothing():
    graph = CameraGraph(transits={("front", "yard"): Transit(9, log(5), 0.1)})
    cues = place_cues(track(), [sight("earlier", "visitor", camera="yard")], graph)
    assert ratio(cues, CueKind.TRANSIT) == 0


def test_in_two_views_at_once_is_doubted_until_the_views_are_known_to_overlap():
    both = [sight("there", "visitor", camera="yard", start_s=-5, end_s=5)]
    seen = track(start_s=0, end_s=4)
    unlearned = place_cues(seen, both, CameraGraph())
    overlapping = place_cues(seen, both, CameraGraph(covisible={("front", "yard"): Covisibility(20, 22)}))
    assert ratio(unlearned, CueKind.ELSEWHERE) == pytest.approx(-2.94, abs=0.1)
    assert ratio(overlapping, CueKind.ELSEWHERE) > 1


def test_an_owners_word_about_views_and_ways_holds_over_what_was_learned():
    seen = track(start_s=0, end_s=4)
    both = [sight("there", "visitor", camera="yard", start_s=-5, end_s=5)]
    pair = {("front", "yard"): Covisibility(0, 50)}
    (cue,) = place_cues(seen, both, CameraGraph(covisible=pair, overlaps={("front", "yard"): True}))
    assert (cue.log_ratio, cue.detail["told"]) == (2.0, True)
    assert place_cues(seen, both, CameraGraph(overlaps={("front", "yard"): False})) is None
    told = CameraGraph(transits={("yard", "front"): Transit(10, log(5), 0.5, told=True)})
    (cue,) = place_cues(track(), [sight("earlier", "visitor", camera="yard")], told)
    assert cue.log_ratio > 1
    assert cue.detail == {"from": "yard", "seconds": 5.0, "usual_s": 5.0, "told": True}


def test_views_that_never_showed_one_person_at_once_speak_ever_louder():
    ratios = [
        elsewhere_ratio(CameraGraph(covisible={("a", "b"): Covisibility(0, chances)}), "a", "b")
        for chances in (0, 2, 50)
    ]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == -4


def test_a_hand_over_between_two_tracks_of_half_a_second_is_not_two_people():
    assert place_cues(track(start_s=0, end_s=3), [sight("before", "v", start_s=-5, end_s=0.3)], CameraGraph())


USUAL = Transit(9, log(12), 0.3)


def three_cameras(**told: Transit) -> CameraGraph:
    """Of ten who left the yard nine went to the hall and none to the street; each camera sees as many people."""
    return CameraGraph(
        transits={("yard", "hall"): USUAL, **{("yard", there): one for there, one in told.items()}},
        moves={("yard", "hall"): 9.0, ("yard", "front"): 1.0},
        moves_from={"yard": 10.0},
        tracks={"yard": 20, "hall": 20, "front": 20, "street": 20},
    )


def ratio_of(graph: CameraGraph, there: str, seconds: float) -> float:
    way = known_way("yard", there, graph)
    assert way is not None
    return way_ratio(way, seconds)


def test_the_way_that_nearly_all_take_speaks_for_whoever_took_it_and_the_one_that_nobody_takes_against():
    graph = three_cameras()
    assert ratio_of(graph, "hall", 12) > transit_ratio(USUAL, 12) + 0.7
    assert isclose(ratio_of(graph, "street", 12), log(1 / 11))
    assert ratio_of(graph, "street", 12) < ratio_of(graph, "front", 12) < 0


def test_the_usual_way_in_an_unusual_time_speaks_against():
    assert ratio_of(three_cameras(), "hall", 900) < -1.5


def test_between_two_cameras_there_is_no_choice():
    graph = CameraGraph(
        transits={("yard", "hall"): USUAL},
        moves={("yard", "hall"): 9.0},
        moves_from={"yard": 9.0},
        tracks={"yard": 5, "hall": 7},
    )
    for seconds in (3, 12, 400):
        assert isclose(ratio_of(graph, "hall", seconds), transit_ratio(USUAL, seconds))


def test_few_journeys_say_little_of_which_way_is_taken():
    graph = replace(three_cameras(), transits={}, moves={("yard", "hall"): 0.2}, moves_from={"yard": 0.2})
    assert -0.5 < ratio_of(graph, "street", 12) < 0 < ratio_of(graph, "hall", 12) < 0.5


def test_of_a_way_that_an_owner_told_the_time_holds_though_nobody_took_it_yet():
    told = Transit(10, log(30), 0.5, told=True)
    graph = three_cameras(street=told)
    assert ratio_of(graph, "street", 30) == transit_ratio(told, 30) > 0


def test_who_comes_after_longer_than_a_journey_takes_comes_anew():
    graph = three_cameras()
    assert ratio_of(graph, "street", LONGEST_S + 1) == 0
    assert ratio_of(graph, "hall", LONGEST_S + 1) == transit_ratio(USUAL, LONGEST_S + 1)
