"""Frames through gate, detector, tracker and book, with a detector that sees bright squares."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from tests.support.squares import FPS, HEIGHT_PX, SIZE_PX, WIDTH_PX, SquareDetector, square_at

from marengocam.core.camera_options import Analysis
from marengocam.core.errors import ModelError, NoAnswerError
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, Embedding, LocalTrack
from marengocam.ingest.frame_analysis import GAP, FrameAnalyser, FrameResult
from marengocam.ingest.frames import Frame
from marengocam.ingest.movement import MOVEMENT
from marengocam.ingest.pace import LONG_STILL_FOLLOW_EVERY, LONGEST_STILL_LOOK_EVERY, STILL_LOOK_EVERY
from marengocam.vision.appearance import AppearanceEncoder, ColourTexture

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class CountedLooks(ColourTexture):
    """Counts how many crops were encoded."""

    encoded = 0

    def encode(self, crops: Sequence[np.ndarray]) -> list[Embedding]:
        self.encoded += len(crops)
        return super().encode(crops)


def analyser(analysis: Analysis = Analysis(), encoder: AppearanceEncoder | None = None) -> FrameAnalyser:  # noqa: B008 - frozen
    camera = Camera("front", "Front", "rtsp://127.0.0.1/front", analysis=analysis)
    return FrameAnalyser(
        camera, SquareDetector(), encoder or ColourTexture(), min_score=0.4, new_id=new_id, seconds=lambda: 0.0
    )


def picture(corner: tuple[int, int] | None) -> np.ndarray:
    frame = np.full((HEIGHT_PX, WIDTH_PX, 3), 60, np.uint8)
    if corner is not None:
        x, y = corner
        frame[y : y + SIZE_PX[1], x : x + SIZE_PX[0]] = 230
    return frame


def frame(second: float, corner: tuple[int, int] | None) -> Frame:
    rgb = picture(corner)
    return Frame(NOON + timedelta(seconds=second), rgb[..., 0].copy(), lambda: rgb)


def look(eyes: FrameAnalyser, second: float, corner: tuple[int, int] | None) -> FrameResult:
    return eyes.look(frame(second, corner))


def last_states(results: list[FrameResult]) -> dict[UUID, LocalTrack]:
    return {track.local_track_id: track for result in results for track in result.tracks}


def test_nothing_moves_nothing_is_looked_at_but_for_a_glance_now_and_then_and_ever_more_rarely() -> None:
    eyes = analyser()
    looks = [second for second in range(600) if look(eyes, second, None).looked]
    pauses_s = [later - sooner for sooner, later in itertools.pairwise(looks)]
    assert pauses_s[:2] == [STILL_LOOK_EVERY.total_seconds()] * 2
    assert pauses_s == sorted(pauses_s)
    assert pauses_s[-4:] == [LONGEST_STILL_LOOK_EVERY.total_seconds()] * 4


def test_after_somebody_has_passed_glances_are_frequent_again() -> None:
    eyes = analyser()
    for second in range(300):
        look(eyes, second, None)
    seconds = [number / FPS for number in range(300 * FPS, 345 * FPS)]
    passing_until = 309
    looks = [s for s in seconds if look(eyes, s, square_at(s - 300, 2.0) if s < passing_until else None).looked]
    pauses_s = [later - sooner for sooner, later in itertools.pairwise(s for s in looks if s > passing_until - 3)]
    assert max(pauses_s) == STILL_LOOK_EVERY.total_seconds(), pauses_s


def test_a_walk_is_one_track_with_picture_appearance_and_wishes_for_its_face() -> None:
    eyes = analyser()
    results = [look(eyes, number / FPS, square_at(number / FPS, 2.0)) for number in range(9 * FPS)]
    (track,) = last_states(results).values()
    assert not track.open
    assert track.appearance is not None
    assert track.crop_path is not None
    assert sum(len(result.pictures) for result in results) <= 5, "a picture only when it is clearly better"
    wishes = [wish for result in results for wish in result.faces]
    assert 2 <= len(wishes) <= 5
    assert {wish.local_track_id for wish in wishes} == {track.local_track_id}


@pytest.mark.parametrize(("faces", "appearance"), [(False, True), (True, False), (False, False)])
def test_what_a_camera_has_switched_off_is_neither_computed_nor_kept(*, faces: bool, appearance: bool) -> None:
    encoder = CountedLooks()
    eyes = analyser(Analysis(faces=faces, appearance=appearance), encoder)
    results = [look(eyes, number / FPS, square_at(number / FPS, 2.0)) for number in range(9 * FPS)]
    (track,) = last_states(results).values()
    assert track.crop_path is not None
    assert any(result.faces for result in results) == faces
    assert (track.appearance is not None, encoder.encoded > 0) == (appearance, appearance)


def test_somebody_who_stood_still_before_we_looked_is_found_and_followed_with_fewer_looks() -> None:
    eyes = analyser()
    results = [look(eyes, number / FPS, (100, 80)) for number in range(20 * FPS)]
    (track,) = last_states(results).values()
    assert track.open
    assert track.last_seen_at > NOON + timedelta(seconds=20) - LONG_STILL_FOLLOW_EVERY
    looks = [result.looked for result in results]
    assert all(looks[:FPS]), "what has just come is looked at in every frame"
    assert sum(looks[2 * FPS : 10 * FPS]) == 8, "once a second is enough for what stands still"
    assert sum(looks[16 * FPS :]) <= 2, "and still less when it has for long"
    gone = [look(eyes, 20 + number / FPS, None) for number in range(5 * FPS)]
    (ended,) = last_states(gone).values()
    assert (ended.local_track_id, ended.open) == (track.local_track_id, False)


def test_after_a_gap_in_the_stream_the_same_place_is_another_track() -> None:
    eyes = analyser()
    before = [look(eyes, number / FPS, square_at(number / FPS, 0.5)) for number in range(2 * FPS)]
    gap_s = GAP.total_seconds() + 1
    after = [look(eyes, 2 + gap_s + n / FPS, square_at(2 + n / FPS, 0.5)) for n in range(FPS)]
    (first,) = last_states(before).values()
    states = last_states([*before, *after])
    assert len(states) == 2
    assert not states[first.local_track_id].open
    assert states[first.local_track_id].last_seen_at <= NOON + timedelta(seconds=2)


def test_a_rest_ends_every_track() -> None:
    eyes = analyser()
    for number in range(2 * FPS):
        look(eyes, number / FPS, square_at(number / FPS, 0.5))
    (track,) = eyes.rest()
    assert not track.open
    assert eyes.rest() == ()


def test_while_nobody_can_look_what_walks_is_movement_and_who_was_followed_is_not_kept_open() -> None:
    eyes = analyser()
    seen = [look(eyes, number / FPS, square_at(number / FPS, 0.0)) for number in range(FPS)]
    (person,) = last_states(seen).values()
    seconds = [number / FPS for number in range(FPS, 12 * FPS)]
    later = [eyes.notice(frame(second, square_at(second, 0.0) or square_at(second, 6.0))) for second in seconds]
    assert not any(result.looked or result.detections for result in later)
    states = last_states(later)
    assert not states.pop(person.local_track_id).open
    assert {track.label for track in states.values()} == {MOVEMENT}


@pytest.mark.parametrize("error", [NoAnswerError("It does not answer."), ModelError("No turn."), RuntimeError("shape")])
def test_an_appearance_model_that_fails_leaves_the_track_and_one_that_takes_long_leaves_the_book_free(
    error: Exception,
) -> None:
    free: list[bool] = []

    class Failing(ColourTexture):
        def encode(self, crops: Sequence[np.ndarray]) -> list[Embedding]:
            free.append(not eyes.lock.locked())
            raise error

    eyes = analyser(encoder=Failing())
    (track,) = last_states([look(eyes, number / FPS, square_at(number / FPS, 0.0)) for number in range(FPS)]).values()
    assert (track.label, track.appearance, track.crop_path is None) == ("person", None, False)
    assert free
    assert all(free)
