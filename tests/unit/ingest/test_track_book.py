"""LocalTracks out of tracked objects."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, Embedding, NameEvidence, PathPoint, Zone
from marengocam.ingest.track_book import (
    FACE_LOOKS,
    KEPT_EMBEDDINGS,
    MAX_PATH_POINTS,
    MAX_VIEWS,
    RECENT_LIMIT,
    VIEW_EVERY,
    TrackBook,
    pause_after,
    thinned,
)
from marengocam.vision.tracker import TrackedObject

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEFT_ZONE = Zone(uuid4(), "left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
RIGHT_ZONE = Zone(uuid4(), "right", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))
CAMERA = Camera("front", "Front", "rtsp://127.0.0.1/front", zones=(RIGHT_ZONE, LEFT_ZONE))
BOX = Box(0.1, 0.2, 0.2, 0.8)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seen(number: int = 1, *, box: Box = BOX, score: float = 0.8, observations: int = 3, lost: bool = False):
    return TrackedObject(number, "person", box, score, observations >= 3, lost, observations)


@pytest.fixture
def book() -> TrackBook:
    return TrackBook(CAMERA, new_id)


def begun(book: TrackBook) -> UUID:
    book.update([seen(observations=1)], at(0))
    book.update([seen(observations=2)], at(0.2))
    (track,) = book.update([seen()], at(0.4))
    return track.local_track_id


def test_a_track_begins_when_confirmed_and_dates_back_to_the_first_sight(book: TrackBook) -> None:
    assert book.update([seen(observations=1, score=0.9)], at(0)) == []
    assert book.update([seen(observations=2)], at(0.2)) == []
    (track,) = book.update([seen()], at(0.4))
    assert (track.first_seen_at, track.last_seen_at, track.open) == (at(0), at(0.4), True)
    assert (track.score, track.observations, track.zones) == (0.9, 3, ("left",))


def test_a_live_track_is_written_once_a_second_and_at_once_in_a_new_zone(book: TrackBook) -> None:
    begun(book)
    written = [book.update([seen(observations=4 + n)], at(0.6 + n * 0.2)) for n in range(5)]
    assert [len(rows) for rows in written] == [0, 0, 0, 0, 1]
    (track,) = book.update([seen(box=Box(0.7, 0.2, 0.8, 0.8), observations=9)], at(1.6))
    assert track.zones == ("left", "right"), "in order of entry, by the foot point"


def test_a_lost_object_is_no_sight_and_its_track_ends_at_the_last_one(book: TrackBook) -> None:
    begun(book)
    assert book.update([seen(lost=True)], at(1.5)) == []
    (track,) = book.update([], at(2.6))
    assert (track.open, track.last_seen_at) == (False, at(0.4))
    assert book.live == 0


def test_a_clock_that_is_set_back_never_makes_a_track_end_before_it_began(book: TrackBook) -> None:
    begun(book)
    book.update([seen(observations=4)], at(-3600))
    (track,) = book.end_all()
    assert track.first_seen_at <= track.last_seen_at == at(0.4)


def test_after_the_end_of_all_a_number_used_again_is_somebody_else(book: TrackBook) -> None:
    first = begun(book)
    book.end_all()
    assert begun(book) != first


def test_a_new_picture_must_be_clearly_better(book: TrackBook) -> None:
    begun(book)
    assert book.wish(seen(), 0.5, at(0.4)).picture
    book.note_picture(1, PurePosixPath("p.jpg"), 0.5)
    assert not book.wish(seen(), 0.55, at(0.4)).picture
    assert book.wish(seen(), 0.6, at(0.4)).picture
    assert not book.wish(seen(lost=True), 1.0, at(0.4)).picture


def test_appearance_is_the_mean_of_the_best_and_taken_again_only_when_better(book: TrackBook) -> None:
    begun(book)
    for number in range(KEPT_EMBEDDINGS + 1):
        moment = at(1 + number)
        if number < KEPT_EMBEDDINGS:
            assert book.wish(seen(), 0.5, moment).appearance
        vector = np.eye(1, 8, number, dtype=np.float32)[0]
        track = book.note_appearance(1, Embedding("m", vector, 0.1 + 0.1 * number), moment)
        assert not book.wish(seen(), 0.5, moment + timedelta(seconds=0.2)).appearance, "not in every frame"
    assert track.appearance is not None
    assert track.appearance.vector[0] == 0, "the poorest is out"
    assert np.linalg.norm(track.appearance.vector) == pytest.approx(1, abs=1e-3)
    book.note_picture(1, PurePosixPath("p.jpg"), 0.5)
    assert book.wish(seen(), 0.5, at(60)).appearance, "somebody followed for long may have turned round"
    for view in range(MAX_VIEWS):
        book.note_view(1, Embedding("m", np.eye(8, dtype=np.float32)[view], 0.5), PurePosixPath(f"{view}.jpg"))
    assert not book.wish(seen(), 0.5, at(60)).appearance
    assert book.wish(seen(), 0.6, at(60)).appearance


def test_looks_at_an_appearance_grow_rarer_up_to_the_pace_at_which_somebody_may_have_turned_round() -> None:
    pauses = [pause_after(looks).total_seconds() for looks in range(1, 7)]
    assert pauses == [0.6, 1.2, 2.4, 3.0, 3.0, 3.0]
    assert pause_after(KEPT_EMBEDDINGS) == VIEW_EVERY


def test_an_appearance_is_made_of_looks_that_are_spread_and_of_better_sights_at_once(book: TrackBook) -> None:
    begun(book)
    book.note_picture(1, PurePosixPath("p.jpg"), 0.5)

    def looked_at(first_s: float, last_s: float, sight: float) -> list[float]:
        looks = []
        for step in range(round(first_s * 5), round(last_s * 5) + 1):
            if book.wish(seen(), sight, at(step / 5)).appearance:
                book.note_appearance(1, Embedding("m", np.eye(8, dtype=np.float32)[0], 0.5), at(step / 5))
                looks.append(step / 5)
        return looks

    assert looked_at(0.4, 1.6, 0.5) == [0.4, 1.0], "the third not before 2.2"
    assert looked_at(1.6, 1.8, 0.6) == [1.6], "clearly better than the best so far, and not in every frame"
    assert looked_at(2.0, 15, 0.5) == [4.0, 7.0, 10.0, 13.0]


def test_faces_are_looked_for_at_a_measured_pace_and_a_failed_look_does_not_count(book: TrackBook) -> None:
    begun(book)
    moment, looks = 1.0, 0
    while book.wish(seen(), 0.5, at(moment)).face and looks < 100:
        track_id = book.note_face_asked(1, 0.5, at(moment))
        assert not book.wish(seen(), 0.5, at(moment + 0.3)).face
        looks += 1
        moment += 1
    assert looks == FACE_LOOKS
    assert book.wish(seen(), 0.6, at(moment)).face, "a better sight is worth another look"
    failed = book.note_face(track_id, face=None, name=None, engine_ok=False, picture=None)
    assert failed is not None
    assert not failed.face_engine_ok
    assert book.wish(seen(), 0.5, at(moment)).face


def test_the_best_face_is_kept_and_a_late_one_still_reaches_an_ended_track(book: TrackBook) -> None:
    track_id = begun(book)
    good, poor = (Embedding("face", np.eye(1, 4, n, dtype=np.float32)[0], q) for n, q in ((0, 0.7), (1, 0.3)))
    picture = PurePosixPath("f.jpg")
    book.note_face(track_id, face=good, name=None, engine_ok=True, picture=picture)
    assert book.note_face(track_id, face=poor, name=None, engine_ok=True, picture=None) is None
    book.update([], at(3))
    late = book.note_face(track_id, face=None, name=NameEvidence("e", "Ann", 0.9), engine_ok=True, picture=None)
    assert late is not None
    assert (late.open, late.face, late.face_crop_path, late.name_evidence.name) == (False, good, picture, "Ann")
    book.update([], at(3) + RECENT_LIMIT)
    assert book.note_face(track_id, face=good, name=None, engine_ok=False, picture=None) is None


@given(st.integers(2, 5000))
def test_a_path_never_grows_over_its_limit_and_keeps_both_ends(length: int) -> None:
    path: tuple[PathPoint, ...] = ()
    for number in range(length):
        path = thinned((*path[-MAX_PATH_POINTS:], replace(PathPoint(NOON, BOX, 0.5), at=at(number))))
    assert len(path) <= MAX_PATH_POINTS
    assert path[-1].at == at(length - 1)
    assert path[0].at == at(0)
    assert list(path) == sorted(path, key=lambda point: point.at)


def looks(*numbers: float, quality: float = 0.5) -> Embedding:
    return Embedding("model", np.array(numbers, np.float32), quality)


def test_pictures_from_other_sides_are_kept_beside_the_best_one(book):
    begun(book)
    book.note_picture(1, PurePosixPath("best.jpg"), 0.8)
    book.note_view(1, looks(1, 0), None)
    assert not book.wants_view(1, looks(0.99, 0.1), 0.7), "the same again"
    assert not book.wants_view(1, looks(0, 1), 0.1), "too poor to show anything"
    assert book.wants_view(1, looks(0, 1), 0.5)
    track = book.note_view(1, looks(0, 1), PurePosixPath("back.jpg"))
    assert (track.crop_path, track.crop_paths) == (PurePosixPath("best.jpg"), (PurePosixPath("back.jpg"),))
    assert not book.wants_view(1, looks(0.1, 0.99), 0.5)
    for number in range(MAX_VIEWS - 1):
        book.note_view(1, looks(-1, number), PurePosixPath(f"{number}.jpg"))
    assert not book.wants_view(1, looks(-1, -9), 0.8), "enough is enough"
