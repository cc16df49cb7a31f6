"""What learned journeys and overlapping views change."""

from math import log

import pytest
from tests.support.resolver_scenes import sight, track

from marengocam.core.identity import CameraGraph, Covisibility, Transit
from marengocam.resolver.cues import CueKind
from marengocam.resolver.spacetime import elsewhere_ratio, place_cues, transit_ratio


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
