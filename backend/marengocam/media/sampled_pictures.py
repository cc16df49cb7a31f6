"""Pictures out of recordings, clips and picture files, spread over cameras and hours: what a detector is tuned by."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import av
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import BadInputError
from marengocam.media.names import RECORDINGS, RecordingName

LONG_SIDE_PX = 640  # the most a detector looks at
MAX_FILES = 200_000  # of one folder
KEYFRAMES_A_CLIP = 24  # of a clip that an owner names; spread over it
HOUR_STEP = 7  # coprime to 24: neighbours in the order lie a third of a day apart
KINDS = frozenset((".mp4", ".mkv", ".mov", ".avi", ".jpg", ".jpeg", ".png", ".webp", ".bmp"))

Picture = npt.NDArray[np.uint8]  # H x W x 3, RGB


def recorded_pictures(media_dir: Path) -> Iterator[Picture]:
    """Yield the first picture of recordings, the latest of every camera and hour of the day first."""
    found = []
    for file in itertools.islice((media_dir / RECORDINGS).rglob("*.mp4"), MAX_FILES):
        name = RecordingName.from_path(PurePosixPath(file.relative_to(media_dir)))
        if name is not None:
            found.append(name)
    for name in spread(found):
        yield from itertools.islice(_keyframes(media_dir / name.path), 1)


def given_pictures(places: Iterable[Path]) -> Iterator[Picture]:
    """Yield the pictures of files and folders, clips in turn; raises BadInputError for a place without any."""
    files: list[Path] = []
    for place in places:
        inside = [place] if place.is_file() else sorted(itertools.islice(place.rglob("*"), MAX_FILES))
        usable = [file for file in inside if file.suffix.lower() in KINDS and file.is_file()]
        if not usable:
            raise BadInputError(f"There are no pictures or clips in {place}.")
        files += usable
    readers = [_spread_keyframes(file) for file in files]
    for row in itertools.zip_longest(*readers):
        yield from (picture for picture in row if picture is not None)


def spread(recordings: Sequence[RecordingName]) -> list[RecordingName]:
    """Return recordings so that any beginning of the list is spread over cameras, day and night; latest first."""
    groups: dict[tuple[int, str], list[RecordingName]] = defaultdict(list)
    for one in sorted(recordings, key=lambda name: name.started_at, reverse=True):
        groups[(one.started_at.hour * HOUR_STEP) % 24, one.camera_id].append(one)
    rows = itertools.zip_longest(*(groups[key] for key in sorted(groups)))
    return [one for row in rows for one in row if one is not None]


def _spread_keyframes(file: Path) -> Iterator[Picture]:
    count = sum(1 for _ in _keyframes(file, convert=False))
    step = max(1, -(-count // KEYFRAMES_A_CLIP))
    return itertools.islice(_keyframes(file), 0, None, step)


def _keyframes(file: Path, *, convert: bool = True) -> Iterator[Picture]:
    """Yield the keyframes of a file, made smaller; of a file that cannot be read, those before that."""
    try:
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            for frame in container.decode(stream):
                scale = min(1.0, LONG_SIDE_PX / max(frame.width, frame.height))
                size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
                if convert:
                    yield np.asarray(frame.reformat(*size, format="rgb24").to_ndarray(), np.uint8)
                else:
                    yield np.empty((0, 0, 3), np.uint8)
    except (av.FFmpegError, OSError, IndexError):
        return
