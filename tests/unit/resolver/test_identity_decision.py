"""Whom a track is taken for, as a table of situations."""

from dataclasses import replace

from tests.support.resolver_scenes import (
    LEFT,
    NOON,
    OTHER_CLOTHES,
    OTHER_FACE,
    RIGHT,
    SAME_CLOTHES,
    SAME_FACE,
    around,
    clothes_of,
    face_of,
    ident,
    sight,
    track,
)

from marengocam.core.identity import Assignment, CameraGraph
from marengocam.core.model import NameEvidence
from marengocam.resolver.decision import decide

CONFIRM = 0.95
DAY_S = 86400.0
UNLEARNED = CameraGraph()


def verdict(seen, surroundings, assignment=None):
    return decide(seen, surroundings, UNLEARNED, assignment, CONFIRM)


def test_a_good_face_alone_confirms_a_person():
    surroundings = around(
        likenesses=(face_of("Alice", SAME_FACE), face_of("Bob", OTHER_FACE)), persons=("Alice", "Bob")
    )
    decided = verdict(track(face=True), surroundings)
    assert decided.confirmed_person_id == ident("Alice")
    assert decided.probability > CONFIRM
    assert decided.chosen.identity_id is None, "a person not seen of late gets a new identity"


def test_a_face_unlike_every_gallery_is_somebody_new():
    surroundings = around(
        likenesses=(face_of("Alice", OTHER_FACE), face_of("Bob", OTHER_FACE)), persons=("Alice", "Bob")
    )
    decided = verdict(track(face=True), surroundings)
    assert decided.confirmed_person_id is None
    assert decided.chosen.person_id is None
    assert decided.likeliest_person[1] < 0.1


def test_no_evidence_at_all_confirms_nobody():
    decided = verdict(track(), around(persons=("Alice",)))
    assert decided.confirmed_person_id is None
    assert decided.chosen.person_id is None


def test_a_blurred_face_confirms_nobody():
    surroundings = around(likenesses=(face_of("Alice", 0.3),), persons=("Alice",))
    decided = verdict(track(face=True, quality=0.05), surroundings)
    assert decided.confirmed_person_id is None


def test_a_small_face_a_little_alike_is_not_named_after_the_only_person_enrolled():
    surroundings = around(likenesses=(face_of("Alice", 0.36),), persons=("Alice",))
    decided = verdict(track(face=True, quality=0.3), surroundings)
    assert decided.confirmed_person_id is None


def test_twins_stay_unknown_with_the_runner_up_named():
    surroundings = around(likenesses=(face_of("Ann", 0.72), face_of("Eve", 0.71)), persons=("Ann", "Eve"))
    decided = verdict(track(face=True), surroundings)
    assert decided.confirmed_person_id is None
    assert decided.chosen.person_id is None
    assert decided.runner_up.person_id in {ident("Ann"), ident("Eve")}


def test_clothes_link_two_cameras_within_minutes():
    surroundings = around(
        sights=(sight("earlier", "visitor", camera="yard"),), likenesses=(clothes_of("visitor", SAME_CLOTHES),)
    )
    decided = verdict(track(clothes=True), surroundings)
    assert decided.chosen.identity_id == ident("visitor")


def test_other_clothes_are_somebody_else():
    surroundings = around(
        sights=(sight("earlier", "visitor", camera="yard"),), likenesses=(clothes_of("visitor", OTHER_CLOTHES),)
    )
    decided = verdict(track(clothes=True), surroundings)
    assert decided.chosen.identity_id is None


def test_clothes_say_nothing_after_a_day():
    surroundings = around(
        sights=(sight("earlier", "visitor", camera="yard", start_s=-DAY_S - 9, end_s=-DAY_S),),
        likenesses=(clothes_of("visitor", SAME_CLOTHES, seconds=-DAY_S),),
    )
    decided = verdict(track(clothes=True), surroundings)
    assert decided.chosen.identity_id is None


def test_clothes_carry_a_confirmed_name_to_the_next_camera():
    surroundings = around(
        sights=(sight("earlier", "visit", camera="yard", of="Alice", probability=0.999),),
        likenesses=(clothes_of("visit", SAME_CLOTHES, of="Alice", trust=0.999),),
        persons=("Alice", "Bob"),
    )
    decided = verdict(track(clothes=True), surroundings)
    assert decided.confirmed_person_id == ident("Alice")
    assert decided.chosen.identity_id == ident("visit")


def test_a_chain_of_links_is_no_stronger_than_its_weakest():
    surroundings = around(
        sights=(sight("earlier", "visit", camera="yard", of="Alice", probability=0.9),),
        likenesses=(clothes_of("visit", SAME_CLOTHES, of="Alice", trust=0.9),),
        persons=("Alice",),
    )
    decided = verdict(track(clothes=True), surroundings)
    assert decided.confirmed_person_id is None


def test_two_at_once_in_one_camera_never_are_one():
    surroundings = around(
        sights=(sight("other", "visitor", start_s=0, end_s=1, box=RIGHT),),
        likenesses=(clothes_of("visitor", 0.99, seconds=0), face_of("x", 0.99, identity="visitor")),
    )
    decided = verdict(track(clothes=True, face=True, box=LEFT), surroundings)
    assert decided.chosen.identity_id is None


def test_a_person_already_in_the_same_picture_is_not_named_twice():
    surroundings = around(
        sights=(sight("other", "visit", start_s=0, end_s=1, box=RIGHT, of="Alice"),),
        likenesses=(face_of("Alice", SAME_FACE),),
        persons=("Alice",),
    )
    decided = verdict(track(face=True, box=LEFT), surroundings)
    assert decided.confirmed_person_id is None


def test_two_tracks_on_one_box_are_one():
    surroundings = around(sights=(sight("double", "visitor", start_s=0, end_s=1, box=LEFT),))
    decided = verdict(track(box=LEFT), surroundings)
    assert decided.chosen.identity_id == ident("visitor")


def test_a_track_lost_and_found_at_the_same_spot_goes_on():
    surroundings = around(sights=(sight("lost", "visitor", start_s=-9, end_s=-1, box=LEFT),))
    decided = verdict(track(box=LEFT), surroundings)
    assert decided.chosen.identity_id == ident("visitor")


def test_a_track_found_across_the_picture_at_once_is_somebody_else():
    surroundings = around(sights=(sight("lost", "visitor", start_s=-9, end_s=-0.5, box=RIGHT),))
    decided = verdict(track(box=LEFT), surroundings)
    assert decided.chosen.identity_id is None


def test_without_a_face_engine_clothes_still_link():
    surroundings = around(
        sights=(sight("earlier", "visitor", camera="yard"),), likenesses=(clothes_of("visitor", SAME_CLOTHES),)
    )
    decided = verdict(track(clothes=True, face_engine_ok=False), surroundings)
    assert decided.chosen.identity_id == ident("visitor")


def test_a_name_from_an_engine_without_embeddings_confirms():
    surroundings = around(persons=("Alice", "Bob"))
    decided = verdict(track(name_evidence=NameEvidence("codeproject", "alice", 0.93)), surroundings)
    assert decided.confirmed_person_id == ident("Alice")


def test_a_weak_name_confirms_nobody():
    surroundings = around(persons=("Alice", "Bob"))
    decided = verdict(track(name_evidence=NameEvidence("codeproject", "alice", 0.62)), surroundings)
    assert decided.confirmed_person_id is None


def test_the_stranger_of_tuesday_is_known_again_by_face():
    surroundings = around(likenesses=(face_of("", SAME_FACE, identity="stranger", seconds=-4 * DAY_S),))
    decided = verdict(track(face=True), surroundings)
    assert decided.chosen.identity_id == ident("stranger")


def test_an_unknown_who_shows_a_known_face_turns_out_to_be_that_person():
    surroundings = around(
        sights=(sight("earlier", "visitor", camera="yard"),),
        likenesses=(clothes_of("visitor", SAME_CLOTHES), face_of("Alice", SAME_FACE)),
        persons=("Alice",),
    )
    decided = verdict(track(clothes=True, face=True), surroundings)
    assert decided.confirmed_person_id == ident("Alice")
    assert decided.chosen.identity_id == ident("visitor")
    assert decided.chosen.composite


def test_a_known_face_leaves_an_unknown_unnamed_who_is_only_somewhat_like_in_clothes():
    hour_s = 3600.0
    surroundings = around(
        sights=(sight("earlier", "visitor", camera="yard", start_s=-hour_s - 9, end_s=-hour_s),),
        likenesses=(clothes_of("visitor", SAME_CLOTHES, seconds=-hour_s), face_of("Alice", SAME_FACE)),
        persons=("Alice",),
    )
    decided = verdict(track(clothes=True, face=True), surroundings)
    assert decided.confirmed_person_id == ident("Alice")
    assert decided.chosen.identity_id is None
    assert not decided.chosen.composite


def visitor_joined_by(trust: float, *, persons: tuple[str, ...] = ()):
    """An unknown whom somebody joined, as surely as `trust`, whose clothes and not the founder's the track wears."""
    faces = (face_of("Alice", SAME_FACE),) if persons else ()
    return around(
        sights=(sight("founder", "visitor", camera="yard", start_s=-40, end_s=-35), sight("joined", "visitor")),
        likenesses=(
            clothes_of("visitor", SAME_CLOTHES - 0.25, seconds=-35.0),
            clothes_of("visitor", SAME_CLOTHES, trust=trust),
            *faces,
        ),
        persons=persons,
    )


def test_who_joined_an_unknown_and_turns_out_to_be_known_gives_its_founder_no_name_that_is_less_sure():
    doubtful = verdict(track(clothes=True, face=True), visitor_joined_by(0.8, persons=("Alice",)))
    assert doubtful.confirmed_person_id == ident("Alice")
    assert (doubtful.chosen.identity_id, doubtful.chosen.composite) == (None, False)
    sure = verdict(track(clothes=True, face=True), visitor_joined_by(0.99, persons=("Alice",)))
    assert (sure.confirmed_person_id, sure.chosen.identity_id) == (ident("Alice"), ident("visitor"))


def test_the_founder_is_the_person_no_surer_than_who_joined_him_is_his():
    decided = verdict(track(clothes=True, face=True), visitor_joined_by(0.95, persons=("Alice",)))
    assert decided.chosen.composite
    assert decided.probability > 0.97
    assert 0.9 < decided.founder < 0.97


def visit_of_a_known_stranger():
    return around(
        sights=(sight("earlier", "visitor", camera="yard"),),
        likenesses=(
            clothes_of("visitor", SAME_CLOTHES),
            face_of("", SAME_FACE, identity="stranger", seconds=-4 * DAY_S),
        ),
    )


def test_an_unknown_of_this_visit_is_found_to_be_the_stranger_of_before():
    decided = verdict(track(clothes=True, face=True), visit_of_a_known_stranger())
    assert (decided.chosen.identity_id, decided.chosen.joins) == (ident("stranger"), ident("visitor"))
    assert decided.probability > 0.9


def test_an_unknown_whose_own_faces_deny_it_is_not_the_stranger():
    denied = {(ident("visitor"), ident("stranger")): -6.0}
    decided = verdict(track(clothes=True, face=True), replace(visit_of_a_known_stranger(), past_faces=denied))
    assert decided.chosen.joins is None


def test_an_unknown_that_a_human_spoke_about_stays_what_it_is():
    spoken = replace(visit_of_a_known_stranger(), spoken_about=frozenset({ident("visitor")}))
    assert verdict(track(clothes=True, face=True), spoken).chosen.joins is None


def test_an_announced_person_is_held_while_doubt_is_small_and_given_up_when_it_is_not():
    before = Assignment(
        ident("visit"),
        ident("Alice"),
        0.97,
        "resolver",
        ident("Alice"),
        announced_unknown=False,
        decided_at=NOON,
        alone=True,
    )
    held = verdict(track(), around(persons=("Alice",)), before)
    assert held.chosen.person_id == ident("Alice")
    assert held.confirmed_person_id is None
    denied = around(likenesses=(face_of("Alice", OTHER_FACE),), persons=("Alice",))
    assert verdict(track(face=True), denied, before).chosen.person_id is None
