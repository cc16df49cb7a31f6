"""HLS over recordings: segments are byte ranges of chunks, on one time line that runs on from chunk to chunk."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from marengocam.core.errors import BadInputError, MediaError, NotFoundError
from marengocam.core.model import Chunk
from marengocam.media.disk_thread import still_answers
from marengocam.media.mp4.fragments import Fragment, FragmentIndex, read_index, rebase
from marengocam.media.names import GROWING_SUFFIX, RecordingName
from marengocam.media.playlist_text import Segment, UrlFor, live_text, recorded_text, with_gaps
from marengocam.media.runs import in_runs
from marengocam.media.store import Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # segments' decode times count from here: no clock is before it
LIVE_SEARCH = timedelta(minutes=20)
LIVE_SEGMENTS = 6
LIVE_FILES = 4
ALL_PARTS = 1 << 31  # of a segment that is whole
READ_TRIES = 2
MAX_SEGMENT_BYTES = 64 << 20


def segments_of(store: Store, file: Path) -> list[Segment]:
    """Return the segments of a recording; the last one of a growing recording is not whole.

    Raises MediaError, OSError.
    """
    name = RecordingName.from_path(store.relative(file))
    if name is None:
        raise MediaError(f"{file.name} is not named like a recording.")
    index = read_index(file)
    groups = _between_keyframes(index)
    key = _init_key(file, index.init_bytes)
    grown = len(groups) if not file.name.endswith(GROWING_SUFFIX) else len(groups) - 1
    return [Segment(file, name.started_at, group, key, whole=number < grown) for number, group in enumerate(groups)]


@dataclass(frozen=True, slots=True)
class LivePlaylist:
    """A live view's playlist, and how far it reaches: its newest segment's number and that one's newest part."""

    text: str
    reached: tuple[int, int]


class LiveView:
    """The last seconds of a camera, its growing recording included."""

    def __init__(self, store: Store, camera_id: str) -> None:
        self._store = store
        self._camera_id = camera_id
        self._sequence = 0
        self._gaps_left = 0
        self._known: list[Segment] = []
        self._read_files: dict[Path, tuple[int, tuple[Segment, ...]]] = {}  # with the size that each had
        self._lock = threading.Lock()

    def playlist(self, url_for: UrlFor, now: datetime) -> LivePlaylist:
        """Return the playlist of this moment.

        Raises NotFoundError when the camera has recorded nothing lately.
        """
        with self._lock:  # around reading, too: numbers go on from whoever read last
            found = self._read(now)
            growing = [one for one in found[-1:] if not one.whole]
            found = with_gaps([*(one for one in found if one.whole), *growing])[-LIVE_SEGMENTS - len(growing) :]
            if not any(one.whole for one in found) or now - found[-1].started_at > LIVE_SEARCH:
                raise NotFoundError("This camera has recorded nothing lately: see its state.")
            self._advance([one for one in found if one.whole])
            text = live_text(found, url_for, sequence=self._sequence, gaps_left=self._gaps_left)
            newest = len(found[-1].fragments) - 1 if growing else ALL_PARTS
            return LivePlaylist(text, (self._sequence + len(found) - 1, newest))

    def _read(self, now: datetime) -> list[Segment]:
        """Return the segments of the newest files, each read again once it has grown: players ask often."""
        files = _up_to_growing(self._store.recordings(self._camera_id, LIVE_SEARCH, now))[-LIVE_FILES:]
        known, self._read_files = self._read_files, {}
        for file in files:
            size, before = _size_of(file), known.get(file)
            if before is None or before[0] != size:
                before = (size, tuple(_segments_if_any(self._store, file)))
            self._read_files[file] = before
        return [segment for _, segments in self._read_files.values() for segment in segments]

    def _advance(self, found: list[Segment]) -> None:
        """Keep the media sequence rising by one for each segment that left the window."""
        names = {segment.name for segment in found}
        if not self._known:
            # Above every number that an earlier process can have used: segments are not shorter than their seconds.
            self._sequence = int((found[0].started_at - EPOCH).total_seconds())
        else:
            left = [segment for segment in self._known if segment.name not in names]
            self._sequence += len(left)
            self._gaps_left += sum(segment.after_gap for segment in left)
        self._known = found


def _size_of(file: Path) -> int:
    """Return a file's size; -1: it has got its other name since."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return -1


def _up_to_growing(files: list[Path]) -> list[Path]:
    """Leave out what lies behind the growing file: it was recorded before the machine's clock was set back."""
    growing = [number for number, file in enumerate(files) if file.name.endswith(GROWING_SUFFIX)]
    return files[: growing[-1] + 1] if growing else files


def recording_playlist(
    store: Store,
    chunks: Sequence[Chunk],
    from_at: datetime,
    to_at: datetime,
    url_for: UrlFor,
    growing: Sequence[Path] = (),
) -> str:
    """Return the playlist of a stretch of recordings, up to the last keyframe of what grows; raises NotFoundError."""
    found: list[list[Segment]] = []
    for file in [*(store.resolve(chunk.path) for chunk in chunks), *growing]:
        still_answers()
        read = _segments_if_any(store, file)
        found.append([one for one in read if one.whole and one.ended_at > from_at and one.started_at < to_at])
    files = sorted((one for one in found if one), key=lambda one: one[0].started_at)
    if not files:
        raise NotFoundError("Nothing was recorded in that stretch of time.")
    files = in_runs(files, lambda one: (one[0].started_at, one[-1].ended_at), from_at, to_at)
    return recorded_text(with_gaps([segment for file in files for segment in file]), url_for)


def init_bytes(store: Store, camera_id: str, name: str) -> bytes:
    """Return the header that belongs to a segment's recording; raises BadInputError, NotFoundError."""
    return _read_place(store, camera_id, name, _init_of)


def segment_bytes(store: Store, camera_id: str, name: str) -> bytes:
    """Return a segment on the common time line; raises BadInputError, NotFoundError."""
    return _read_place(store, camera_id, name, _segment_of)


def _init_of(_store: Store, file: Path, _offset: int, _size_bytes: int) -> bytes:
    with file.open("rb") as opened:
        return opened.read(read_index(file).init_bytes)


def _segment_of(store: Store, file: Path, offset: int, size_bytes: int) -> bytes:
    recording = RecordingName.from_path(store.relative(file))
    assert recording is not None
    index = read_index(file)
    if not any(fragment.offset == offset for fragment in index.fragments) or offset + size_bytes > index.end:
        raise BadInputError("There is no such segment.")
    with file.open("rb") as opened:
        opened.seek(offset)
        content = opened.read(size_bytes)
    return rebase(content, (recording.started_at - EPOCH).total_seconds(), index.timescales)


def _segments_if_any(store: Store, file: Path) -> list[Segment]:
    """Return a recording's segments, none of one without a header; one just finished is read under its new name."""
    for place in (file, file.with_name(file.name.removesuffix(".part"))):
        try:
            return segments_of(store, place)
        except FileNotFoundError:
            continue
        except MediaError:
            return []
    return []


def _between_keyframes(index: FragmentIndex) -> list[tuple[Fragment, ...]]:
    """Group fragments so that each group begins with a keyframe."""
    starts = [number for number, fragment in enumerate(index.fragments) if fragment.keyframe]
    return [index.fragments[here:there] for here, there in pairwise([*starts, len(index.fragments)])]


def _read_place(store: Store, camera_id: str, name: str, read: Callable[[Store, Path, int, int], bytes]) -> bytes:
    for _ in range(READ_TRIES):
        file, offset, size_bytes = _place(store, camera_id, name)
        try:
            return read(store, file, offset, size_bytes)
        except FileNotFoundError:
            continue  # finished between the look and the reading: it has its other name now
        except MediaError:
            break
    raise NotFoundError("That recording is gone.")


def _place(store: Store, camera_id: str, name: str) -> tuple[Path, int, int]:
    """Return the file, offset and size that a segment's name means."""
    try:
        stem, offset, size = name.removeprefix("init_").removesuffix(".m4s").rsplit("_", 2)
        started = datetime.strptime(stem[:19], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        chunk_id = stem[21:]
        place = (int(offset), int(size))
    except ValueError:
        raise BadInputError("That is no segment's name.") from None
    try:
        recording = RecordingName(camera_id, started, UUID(chunk_id))
    except ValueError:
        raise BadInputError("That is no segment's name.") from None
    finished = store.find(recording)
    growing = store.resolve(f"{recording.path}.part")
    for file in (finished, growing, finished):
        if file.is_file():
            if not 0 < place[1] <= MAX_SEGMENT_BYTES:
                raise BadInputError("That is no segment's size.")
            return file, *place
    raise NotFoundError("That recording is gone.")


def _init_key(file: Path, init_bytes_count: int) -> str:
    with file.open("rb") as opened:
        return hashlib.sha256(opened.read(init_bytes_count)).hexdigest()[:16]
