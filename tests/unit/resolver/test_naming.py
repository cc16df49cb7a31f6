"""Names are weighed by all faces of an individual together, against most of a person's faces."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.resolver_scenes import (
    FACE_MODEL,
    SAME_CLOTHES,
    SAME_FACE,
    around,
    clothes_of,
    face_of,
    ident,
    sight,
    track,
)

from marengocam.core.calibration import face_fit, face_log_ratio
from marengocam.core.identity import CameraGraph, KnownLooks, Shown, Surroundings
from marengocam.core.model import LocalTrack
from marengocam.resolver.album import Album
from marengocam.resolver.decision import Verdict, decide
from marengocam.resolver.naming import Portfolio, agreeing, likelihoods

QUALITY = 0.9
ALIKE, PERSON, CALLED, OTHER = 0.36, *(UUID(int=number) for number in range(1, 4))


def together(*cosines: float, quality: float = QUALITY) -> float:
    return weighed(cosines, np.full(len(cosines), quality))


def weighed(cosines: Sequence[float], qualities: np.ndarray) -> float:
    fit = face_fit(FACE_MODEL)
    return fit.together(fit.likelihoods(np.array(cosines), qualities, np.full(len(cosines), QUALITY)))


@pytest.mark.parametrize("cosine", [0.1, 0.2, 0.3, 0.4])
@pytest.mark.parametrize("quality", [0.3, 0.6, 0.9])
def test_one_look_says_what_it_says_alone(cosine: float, quality: float) -> None:
    alone = face_log_ratio(FACE_MODEL, cosine, quality, QUALITY)
    assert together(cosine, quality=quality) == pytest.approx(alone, abs=0.1)


def test_looks_that_are_somewhat_alike_do_not_add_up() -> None:
    one = together(ALIKE)
    assert one > 2
    assert together(*[ALIKE] * 10) < one


def test_a_first_look_that_deceives_is_outweighed_by_those_that_follow() -> None:
    assert together(0.55) > 8
    assert together(0.55, 0.12, 0.08, 0.1) < -2


def test_a_look_that_has_lost_its_person_takes_little_from_one_that_has_not() -> None:
    assert weighed([0.7, 0.0], np.array([0.9, 0.2])) > together(0.7) - 1


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8), st.randoms())
def test_looks_of_any_kind_stay_within_bounds_and_their_order_is_nothing(cosines: list[float], random) -> None:
    fit = face_fit(FACE_MODEL)
    shuffled = random.sample(cosines, len(cosines))
    assert fit.lowest <= together(*cosines) <= fit.highest
    assert together(*shuffled) == pytest.approx(together(*cosines), abs=1e-9)


def test_most_of_a_gallery_has_to_agree() -> None:
    assert [agreeing(faces) for faces in (1, 2, 3, 4, 9, 40)] == [1, 2, 2, 3, 5, 5]
    shown = portfolio([1, 0, 0, 0])
    one_alike = portfolio([0.6, 0.8, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0])
    all_alike = portfolio([0.6, 0.8, 0, 0], [0.55, 0, 0.8351, 0], [0.5, 0, 0, 0.866])
    fit = face_fit(FACE_MODEL)
    assert fit.together(likelihoods(FACE_MODEL, shown, one_alike)) < 2
    assert fit.together(likelihoods(FACE_MODEL, shown, all_alike)) > 7


def test_one_photo_of_three_confirms_nobody() -> None:
    photos = [face_of("Alice", cosine) for cosine in (0.6, 0.05, 0.05)]
    assert verdict(track(face=True), around(likenesses=tuple(photos), persons=("Alice",))).confirmed_person_id is None


def portfolio(*vectors: list[float]) -> Portfolio:
    return Portfolio(np.array(vectors, np.float32), np.full(len(vectors), QUALITY), b"")


def verdict(seen: LocalTrack, surroundings: Surroundings) -> Verdict:
    return decide(seen, surroundings, CameraGraph(), None, 0.95)


def called_alice(before: float, together_: float) -> Surroundings:
    """Return somebody about whom the resolver called Alice, with what his faces say of that."""
    surroundings = around(
        sights=(sight("earlier", "visit", camera="yard", of="Alice", probability=0.97),),
        likenesses=(clothes_of("visit", SAME_CLOTHES), face_of("", SAME_FACE, identity="visit")),
        persons=("Alice", "Bob"),
    )
    shown = {(ident("visit"), ident("Alice")): Shown(before, together_, 3)}
    return replace(surroundings, called={ident("visit"): ident("Alice")}, shown=lambda one, who: shown.get((one, who)))


def test_a_name_that_holds_goes_with_clothes() -> None:
    decided = verdict(track(clothes=True), called_alice(8, 8))
    assert (decided.confirmed_person_id, decided.chosen.identity_id) == (ident("Alice"), ident("visit"))
    assert not decided.unnames


def test_a_name_in_doubt_is_not_said_again_and_nobody_is_torn_apart_for_it() -> None:
    decided = verdict(track(clothes=True, face=True), called_alice(6, 3))
    assert decided.confirmed_person_id is None
    assert decided.chosen.identity_id == ident("visit")
    assert not decided.unnames
    assert 0.5 < decided.probability < 0.95


def test_a_name_that_the_faces_deny_is_taken_back() -> None:
    decided = verdict(track(clothes=True, face=True), called_alice(6, -2))
    assert (decided.chosen.identity_id, decided.chosen.person_id) == (ident("visit"), None)
    assert decided.unnames


def test_whoever_is_unlike_the_called_one_takes_nobodys_name_back() -> None:
    surroundings = replace(called_alice(6, -2), faces=None, appearances=None)
    assert not verdict(track(start_s=60, end_s=61, camera="hall"), surroundings).unnames


def album() -> Album:
    """Return a person's photo, and the faces that two who were called so left in the gallery."""
    tracks = [None, uuid4(), uuid4()]
    looks = KnownLooks(
        kind="face", model=FACE_MODEL, exemplar_ids=[uuid4() for _ in tracks], vectors=np.eye(3, dtype=np.float32),
        qualities=[QUALITY] * 3, at_s=[0.0] * 3, trusts=[1.0] * 3, person_ids=[PERSON] * 3,
        identity_ids=[None, CALLED, OTHER], local_track_ids=tracks, sources=["enrolled", "confirmed", "confirmed"],
        humans=[False] * 3,
    )  # fmt: skip
    return Album.of(looks, 0, lambda person, identity: person or identity)


def test_what_the_called_left_in_a_gallery_speaks_for_themselves_alone() -> None:
    faces = album()
    looks = faces.compare(np.ones(3, np.float32) / 3**0.5, uuid4(), faces.individuals.listed([CALLED, OTHER]), [CALLED])
    assert [looks.owners[code] for code in looks.owner] == [PERSON, CALLED, PERSON]
    assert len(faces.gallery(PERSON, uuid4(), [CALLED]).qualities) == 2
    assert len(faces.shown(CALLED, uuid4()).qualities) == 1


def test_a_name_taken_back_takes_the_faces_out_of_the_gallery_and_leaves_the_photos() -> None:
    faces = album()
    faces.take_back(CALLED)
    assert len(faces.gallery(PERSON, uuid4(), []).qualities) == 2
    looks = faces.compare(np.ones(3, np.float32) / 3**0.5, uuid4(), faces.individuals.listed([CALLED]), [])
    assert [looks.owners[code] for code in looks.owner] == [PERSON, CALLED, PERSON]
