"""A live view that several players ask for at once, and what it reads for them."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.clips import write_counter_clip

from marengocam.core.clock import SystemClock
from marengocam.media import playlist
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.playlist import LiveView
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader

FPS = 15
WAIT_S = 10.0
MOMENT_S = 0.3


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "media")
    made.prepare()
    return made


@pytest.fixture
def growing(store: Store, tmp_path: Path):
    """Lend what grows a recording by some seconds."""
    clip, clock = write_counter_clip(tmp_path / "clip.mp4", 14 * FPS), SystemClock()
    with StreamReader(clip.as_uri(), StreamOptions(), clock, clock.now() - timedelta(seconds=14)) as reader:
        writer, packets = ChunkWriter(store, "front", reader.video, reader.info, 100), iter(reader)

        def grow(seconds: int) -> None:
            for _ in range(seconds * FPS):
                writer.write(next(packets))

        yield grow
        writer.close()


def _sequence(text: str) -> int:
    return int(text.split("#EXT-X-MEDIA-SEQUENCE:")[1].split(maxsplit=1)[0])


def test_a_file_that_has_not_grown_is_not_read_again(store, growing, monkeypatch):
    growing(8)
    view, reads, read = LiveView(store, "front"), [], playlist.segments_of
    monkeypatch.setattr(playlist, "segments_of", lambda *of: reads.append(of) or read(*of))
    now = SystemClock().now()
    first = view.playlist(str, now)
    assert [view.playlist(str, now) for _ in range(5)] == [first] * 5
    assert len(reads) == 1, "a player that waits asks several times a second"
    growing(2)
    assert view.playlist(str, now).reached > first.reached
    assert len(reads) == 2


def test_one_who_read_before_another_and_tells_after_it_moves_no_number(store, growing, monkeypatch):
    growing(10)
    view, now = LiveView(store, "front"), SystemClock().now()
    before = _sequence(view.playlist(str, now).text)
    began, may_go_on, read = threading.Event(), threading.Event(), LiveView._read

    def late(self, at):
        found = read(self, at)
        if threading.current_thread().name == "late":
            began.set()
            assert may_go_on.wait(WAIT_S)
        return found

    monkeypatch.setattr(LiveView, "_read", late)
    threads = [threading.Thread(target=view.playlist, args=(str, now), name=name) for name in ("late", "soon")]
    threads[0].start()
    assert began.wait(WAIT_S)
    growing(2)
    threads[1].start()
    threads[1].join(MOMENT_S)  # it comes first, where nobody makes it wait
    may_go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert _sequence(view.playlist(str, now).text) == before + 2, "two segments left"
