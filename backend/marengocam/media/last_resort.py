"""Room on a full disk without the hub: the oldest recordings go, listed first so that the index can follow later.

The list stands in the media folder. A file on it is condemned, whatever its row says: `marengocam check` knows that,
and ingest brings the rows in line as soon as the hub answers. A ballast file is given up when there is not even room
for the list.
"""

import contextlib
import errno
import fcntl
import heapq
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from marengocam.core.errors import StoreError
from marengocam.media.names import GROWING_SUFFIX, RECORDINGS, RecordingName
from marengocam.media.store import Store

GIVEN_UP, BALLAST, FAVOURITES = ".given_up", ".ballast", ".favourites.json"
BALLAST_BYTES = 1 << 20
FULL_SHARE = 0.97  # well above the share at which the janitor makes room
RELIEVED_SHARE = 0.96
BATCH_FILES = 4
LONGEST_FILE = timedelta(minutes=15)  # the longest that `chunk_s` can be
FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class Favourite:
    """A stretch of time that its owner wants to keep; of all cameras when none is named."""

    camera_id: str | None
    from_at: datetime
    to_at: datetime

    def may_hold(self, name: RecordingName) -> bool:
        """Return whether a recording may overlap it, by its name alone."""
        return self.camera_id in {None, name.camera_id} and (
            self.from_at - LONGEST_FILE <= name.started_at <= self.to_at
        )


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or what it came from, says that the disk has no room."""
    while error is not None:
        if getattr(error, "errno", None) in FULL_ERRORS:
            return True
        error = error.__cause__
    return False


def hold_ballast(store: Store) -> None:
    """Have the ballast file in place, unless there is no room even for it."""
    file = store.root / BALLAST
    with contextlib.suppress(OSError):
        if not file.exists() or file.stat().st_size < BALLAST_BYTES:
            file.write_bytes(bytes(BALLAST_BYTES))


def write_favourites(store: Store, favourites: Sequence[Favourite]) -> None:
    """Leave word, beside the recordings, of what goes last; raises StoreError."""
    stretches = [[one.camera_id, one.from_at.isoformat(), one.to_at.isoformat()] for one in favourites]
    store.write_picture(PurePosixPath(FAVOURITES), json.dumps(stretches).encode(), lasting=True)


def read_favourites(store: Store) -> list[Favourite]:
    """Return what goes last; nothing is known when the file is missing or damaged."""
    try:
        stretches = json.loads((store.root / FAVOURITES).read_text())
        return [
            Favourite(camera_id, datetime.fromisoformat(from_at), datetime.fromisoformat(to_at))
            for camera_id, from_at, to_at in stretches
        ]
    except (OSError, ValueError, TypeError):
        return []


def make_room(store: Store, now: datetime, *, at_least: int = 0) -> list[PurePosixPath]:
    """Delete the oldest recordings until the disk has room again, favourites last; return what went.

    At least so many files go even where the disk says that it has room, as under a quota. One that cannot be deleted
    does not keep the others. Raises StoreError, that of such a file only when none went.
    """
    gone: list[PurePosixPath] = []
    refused: StoreError | None = None
    with _list_held(store) as listed:
        oldest = _oldest(store, read_favourites(store))
        while store.space().used_share > RELIEVED_SHARE or len(gone) < at_least:
            batch = [path for path, _ in zip(oldest, range(BATCH_FILES), strict=False)]
            if not batch:
                break
            _note(store, listed, batch, now)
            for path in batch:
                try:
                    store.delete(path)
                except StoreError as error:
                    refused = refused or error
                else:
                    gone.append(path)
    hold_ballast(store)
    if refused is not None and not gone:
        raise refused
    return gone


def given_up(store: Store) -> dict[PurePosixPath, datetime]:
    """Return the files that went without the hub's knowledge, and when; their rows have to follow."""
    try:
        lines = (store.root / GIVEN_UP).read_bytes().splitlines()
    except OSError:
        return {}
    return dict(entry for line in lines if (entry := _entry(line)) is not None)


def _entry(line: bytes) -> tuple[PurePosixPath, datetime] | None:
    """Return a line of the list, None when it is none: the last may be half, and a power cut may leave anything."""
    try:
        at, _, path = line.decode().partition(" ")
        given_up_at = datetime.fromtimestamp(int(at), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    name = PurePosixPath(path)
    return (name, given_up_at) if RecordingName.from_path(name) is not None else None


def settle(store: Store, paths: Iterable[PurePosixPath]) -> None:
    """Strike files off the list, when their rows are gone for good. Raises StoreError."""
    struck = set(paths)
    if not struck:
        return
    with _list_held(store) as listed:
        kept = {path: at for path, at in given_up(store).items() if path not in struck}
        # In place and shorter than before: it needs no room, and a kill leaves lines too many at worst.
        content = "".join(_line(path, at) for path, at in kept.items()).encode()
        try:
            os.pwrite(listed, content, 0)
            os.ftruncate(listed, len(content))
            os.fsync(listed)
        except OSError as error:
            raise StoreError(f"The list of recordings given up cannot be written: {error.strerror}.") from error


@contextlib.contextmanager
def _list_held(store: Store) -> Iterator[int]:
    """Hold the list open and to oneself: several processes may record to one disk."""
    try:
        descriptor = os.open(store.root / GIVEN_UP, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        if not is_full(error):
            raise StoreError(f"The media folder cannot be written: {error.strerror}.") from error
        (store.root / BALLAST).unlink(missing_ok=True)
        descriptor = os.open(store.root / GIVEN_UP, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _note(store: Store, listed: int, paths: Sequence[PurePosixPath], now: datetime) -> None:
    content = "".join(_line(path, now) for path in paths).encode()
    end = os.fstat(listed).st_size
    try:
        _append(listed, content, end)
    except OSError as error:
        if not is_full(error):
            raise StoreError(f"The list of recordings given up cannot be written: {error.strerror}.") from error
        (store.root / BALLAST).unlink(missing_ok=True)
        try:
            _append(listed, content, end)
        except OSError as again:
            raise StoreError(f"The list of recordings given up cannot be written: {again.strerror}.") from again


def _append(listed: int, content: bytes, end: int) -> None:
    if os.pwrite(listed, content, end) != len(content):
        raise OSError(errno.ENOSPC, "no room for the list")
    os.fsync(listed)


def _line(path: PurePosixPath, at: datetime) -> str:
    return f"{int(at.timestamp())} {path}\n"


def _oldest(store: Store, favourites: Sequence[Favourite]) -> Iterator[PurePosixPath]:
    """Yield finished recordings of all cameras from the oldest on, those that may be favourites after all others."""
    last: list[PurePosixPath] = []
    streams = [_of_camera(store.root / RECORDINGS / camera_id) for camera_id in store.cameras()]
    for file in heapq.merge(*streams, key=lambda file: file.name):
        path = store.relative(file)
        name = RecordingName.from_path(path)
        if name is None:
            continue
        if any(one.may_hold(name) for one in favourites):
            last.append(path)
        else:
            yield path
    yield from last


def _of_camera(folder: Path) -> Iterator[Path]:
    """Yield a camera's finished recordings in order of time, reading one folder after the other."""
    for day in _sorted(folder):
        for hour in _sorted(day):
            yield from (file for file in _sorted(hour) if not file.name.endswith(GROWING_SUFFIX))


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.is_symlink())
    except OSError:
        return []
