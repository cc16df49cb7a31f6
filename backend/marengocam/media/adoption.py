"""What a crash left behind: growing files are cut to their last whole fragment and finished; files become chunks."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

import av

from marengocam.core.errors import MediaError, StoreError
from marengocam.core.model import Chunk
from marengocam.media.mp4.fragments import FragmentIndex, read_index
from marengocam.media.names import GROWING_SUFFIX, RecordingName
from marengocam.media.store import Store, claimed

_LOG = logging.getLogger(__name__)


def adopt_partials(store: Store, camera_id: str, from_at: datetime | None = None) -> list[Chunk]:
    """Finish what a crash left of a camera, since a moment if asked; what a living writer holds is left alone.

    Returns the chunks that came of it; a file without one whole fragment is removed.
    """
    adopted = []
    for file in store.recordings(camera_id) if from_at is None else store.recordings_since(camera_id, from_at):
        if not file.name.endswith(GROWING_SUFFIX):
            continue
        with claimed(file) as ours:
            if not ours:
                continue
            try:
                chunk = _adopt(store, file)
            except (StoreError, OSError) as error:
                _LOG.warning("%s cannot be finished yet: %s", file.name, error)  # the next start tries again
                continue
        if chunk is not None:
            adopted.append(chunk)
    return adopted


def whole_part(file: Path) -> FragmentIndex | None:
    """Return the index of what is whole in a growing file, None when that is nothing; raises OSError."""
    try:
        index = read_index(file)
    except MediaError:
        return None
    return index if index.fragments else None


def chunk_of(store: Store, file: Path) -> Chunk:
    """Return the chunk that a finished recording is, from its name and headers; raises MediaError."""
    name = RecordingName.from_path(store.relative(file))
    if name is None:
        raise MediaError(f"{file.name} is not named like a recording.")
    index = read_index(file)
    if not index.fragments:
        raise MediaError(f"{file.name} holds no video.")
    try:
        with av.open(str(file)) as container:
            context = container.streams.video[0].codec_context
            codec, width_px, height_px = context.name, context.width, context.height
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(f"{file.name} cannot be read as video.") from error
    return Chunk(
        chunk_id=name.chunk_id,
        camera_id=name.camera_id,
        started_at=name.started_at,
        duration_s=max(index.duration_s, 0.001),
        size_bytes=file.stat().st_size,
        path=store.relative(file),
        codec=codec,
        width_px=width_px,
        height_px=height_px,
    )


def finished_since(store: Store, camera_id: str, from_at: datetime) -> list[Path]:
    """Return a camera's finished recordings since a moment, those that a wrong clock dated ahead included."""
    return [file for file in store.recordings_since(camera_id, from_at) if not file.name.endswith(GROWING_SUFFIX)]


def held_since_before(store: Store, camera_id: str, before: datetime, newest: timedelta, now: datetime) -> bool:
    """Return whether a growing file of the last hours is left that was begun before a moment."""
    growing = (file for file in store.recordings(camera_id, newest, now) if file.name.endswith(GROWING_SUFFIX))
    names = (RecordingName.from_path(store.relative(file)) for file in growing)
    return any(name is not None and name.started_at < before for name in names)


def _adopt(store: Store, file: Path) -> Chunk | None:
    index = whole_part(file)
    if index is None:
        _LOG.info("%s holds nothing that can be shown; it is removed", file.name)
        store.delete(store.relative(file))
        return None
    store.truncate(file, index.end)
    try:
        return chunk_of(store, store.finish(file))
    except MediaError as error:
        _LOG.warning("%s", error)
        return None
