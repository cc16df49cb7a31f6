"""The media folder: the only place that writes, renames and deletes its files."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from uuid import UUID

from marengocam.core.errors import BadInputError, StoreError
from marengocam.lasting import make_folder, settle
from marengocam.media.disk_thread import copy_file, still_answers
from marengocam.media.names import (
    ARCHIVE,
    DAY_FORMAT,
    HOUR_FORMAT,
    MOVING_SUFFIX,
    PERSONS,
    PICTURES,
    RECORDINGS,
    RecordingName,
    hour_folders,
    is_recording,
)
from marengocam.media.space import Space, space_of

MARKER = ".marengocam-media"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # no clock is before it


class Store:
    """The media folder; every path given or returned is relative to it."""

    def __init__(self, root: Path, archive: Path | None = None) -> None:
        self.root = root
        self.archive = archive  # a second folder, to which old recordings are moved; None: there is none
        self.problem = ""  # why nothing may be written into the first now, by whoever looks after it
        self._is_marked = False

    def prepare(self, installation_id: UUID | None = None) -> None:
        """Make the folder ready.

        With an installation's id its marker file is compared, so that a wrong or unmounted disk is noticed.
        Raises StoreError that tells what to change.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            marker = self.root / MARKER
            found = _owner(marker)
            if installation_id is not None and found and found != str(installation_id):
                raise StoreError(
                    f"{self.root} belongs to another MarengoCam installation: mount the right disk, or delete "
                    f"{marker} to take it over."
                )
            if installation_id is not None and not found:
                _mark(marker, installation_id)
            self._is_marked = marker.exists()
        except OSError as error:
            raise StoreError(f"The media folder {self.root} cannot be used: {error.strerror}.") from error

    def marked(self) -> bool:
        """Return whether the folder carries a marker, as every folder does that was ever used."""
        return (self.root / MARKER).exists()

    def belongs_to(self, installation_id: UUID) -> bool:
        """Return whether the folder carries the marker of this installation; raises StoreError."""
        return self.owner() == str(installation_id)

    def owner(self) -> str:
        """Return whose marker the folder carries, '' for nobody's; raises StoreError."""
        try:
            return _owner(self.root / MARKER)
        except OSError as error:
            raise StoreError(f"The media folder {self.root} cannot be read: {error.strerror}.") from error

    def resolve(self, path: PurePosixPath | str) -> Path:
        """Return a file's real place; raises BadInputError when it would lie outside the media folder."""
        root, below = self.root, PurePosixPath(path)
        if below.parts[:1] == (ARCHIVE,):
            if self.archive is None:
                raise BadInputError("That recording lies in an archive folder that is not set (archive_dir).")
            root, below = self.archive, below.relative_to(ARCHIVE)
        whole = (root / below).resolve()
        if not whole.is_relative_to(root.resolve()):
            raise BadInputError("That path lies outside the media folder.")
        return whole

    def find(self, name: RecordingName) -> Path:
        """Return where a finished recording lies, here or in the archive; it may lie nowhere any more."""
        here = self.resolve(name.path)
        if self.archive is not None and not here.exists():
            there = self.resolve(ARCHIVE / name.path)
            if there.exists():
                return there
        return here

    def growing(self, name: RecordingName) -> Path:
        """Return the place of a recording that is being written; its folder is made."""
        file = self.root / f"{name.path}.part"
        try:
            self._folder_of(name.path)
        except OSError as error:
            raise StoreError(f"The media folder cannot be written: {error.strerror}.") from error
        return file

    def _folder_of(self, path: PurePosixPath) -> None:
        """Make a file's folder, for good; raises StoreError where nothing may be written now, or a link leads away."""
        if self.problem:
            raise StoreError(self.problem)
        if self._is_marked and not self.marked():  # in the moment between two looks at it
            raise StoreError(
                f"The media folder {self.root} has lost its file {MARKER}: see whether its disk is mounted."
            )
        try:
            make_folder(self.resolve(path.parent))
        except BadInputError:
            raise StoreError(f"{path.parent} is a link that leads out of the media folder: remove it.") from None

    def finish(self, growing: Path) -> Path:
        """Make a growing file a finished one: its bytes first, then its name, then the folder (in that order)."""
        finished = growing.with_name(growing.name.removesuffix(".part"))
        try:
            settle(growing, finished)
        except OSError as error:
            raise StoreError(f"The recording {growing.name} cannot be finished: {error.strerror}.") from error
        return finished

    def truncate(self, growing: Path, size_bytes: int) -> None:
        """Cut a growing file to its last whole fragment."""
        os.truncate(growing, size_bytes)

    def delete(self, path: PurePosixPath) -> None:
        """Delete a file if it is there, and its folder when that is empty then."""
        file = self.resolve(path)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be deleted: {error.strerror}.") from error
        for folder in (file.parent, file.parent.parent):
            if folder.name in {RECORDINGS, PICTURES} or folder in self._roots:
                break
            with contextlib.suppress(OSError):
                folder.rmdir()

    def delete_all(self, paths: Iterable[PurePosixPath]) -> None:
        """Delete files and their empty folders; one that cannot be keeps no other. Raises StoreError, at the end."""
        problem: StoreError | None = None
        for path in paths:
            still_answers()
            try:
                self.delete(path)
            except StoreError as error:
                problem = problem or error
        if problem is not None:
            raise problem

    def copy_to_archive(self, path: PurePosixPath) -> None:
        """Have a whole, synced copy of a recording in the archive: bytes first, then its name, then the folder.

        Raises StoreError.
        """
        source, target = self.resolve(path), self.resolve(ARCHIVE / path)
        partial = target.with_name(target.name + MOVING_SUFFIX)
        try:
            make_folder(target.parent)
            copy_file(source, partial)
            settle(partial, target)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise StoreError(f"{path} cannot be copied to the archive: {error.strerror}.") from error

    def write_picture(self, path: PurePosixPath, content: bytes, *, lasting: bool = False) -> None:
        """Write a picture so that a reader sees the old one or the new one, never half of one.

        With `lasting` this holds over a power cut too.
        """
        file = self.root / path
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            self._folder_of(path)
            partial.unlink(missing_ok=True)  # of a process that had this number, or a link that somebody laid
            with partial.open("xb") as opened:
                opened.write(content)
                if lasting:
                    opened.flush()
                    os.fsync(opened.fileno())
            partial.replace(file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"A picture cannot be written: {error.strerror}.") from error

    def recordings(self, camera_id: str, newest: timedelta | None = None, now: datetime | None = None) -> list[Path]:
        """Return a camera's recordings in order of time, finished and growing; only of the last hours if asked."""
        folders = [root / RECORDINGS / camera_id for root in self._roots]
        if newest is not None and now is not None:
            wanted = hour_folders(now - newest, now)
            return self._in_order(folder / hour for folder in folders for hour in wanted)
        return self._in_order(hour for folder in folders for hour in folder.glob("*/*"))

    def _in_order(self, hours: Iterable[Path]) -> list[Path]:
        """Return the recordings in folders; while one is moved it lies in both roots, and the first one's counts."""
        found: dict[str, Path] = {}
        for hour in hours:
            for file in hour.glob("*.mp4*"):
                if file.name not in found and is_recording(file.name) and not file.is_symlink():
                    found[file.name] = file
        return [found[name] for name in sorted(found)]

    def recordings_since(self, camera_id: str, from_at: datetime, to_at: datetime | None = None) -> list[Path]:
        """Return a camera's recordings of the hours since a moment, or between two.

        Without an end those are among them that a wrong clock dated ahead. Only folders that are there are looked at.
        """
        first, last = _hour(max(from_at, EPOCH)), "" if to_at is None else _hour(max(to_at, EPOCH))
        hours = (
            hour
            for root in self._roots
            for day in (root / RECORDINGS / camera_id).glob("*")
            if first[: len(day.name)] <= day.name and (not last or day.name <= last[: len(day.name)])
            for hour in day.glob("*")
            if first <= f"{day.name}/{hour.name}" and (not last or f"{day.name}/{hour.name}" <= last)
        )
        return self._in_order(hours)

    def pictures(self, camera_id: str, from_at: datetime) -> list[Path]:
        """Return a camera's pictures of the days since `from_at`, those half written included."""
        first = from_at.astimezone(UTC).strftime(DAY_FORMAT)
        return sorted(file for file in (self.root / PICTURES / camera_id).glob("*/*") if file.parent.name >= first)

    def person_pictures(self) -> list[PurePosixPath]:
        """Return the pictures of persons that were sent in, those half written included."""
        return sorted(self.relative(file) for file in (self.root / PICTURES / PERSONS).glob("*/*"))

    def cameras(self) -> list[str]:
        """Return the ids of cameras with recordings."""
        folders = [root / RECORDINGS for root in self._roots]
        return sorted({entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()})

    def relative(self, file: Path) -> PurePosixPath:
        """Return a file's path under the media root, or under the archive."""
        if self.archive is not None and file.is_relative_to(self.archive):
            return ARCHIVE / PurePosixPath(file.relative_to(self.archive))
        return PurePosixPath(file.relative_to(self.root))

    def space(self) -> Space:
        """Return how full the disk is; raises StoreError."""
        return space_of(self.root)

    @property
    def _roots(self) -> list[Path]:
        return [self.root] if self.archive is None else [self.root, self.archive]


@contextlib.contextmanager
def claimed(growing: Path) -> Iterator[bool]:
    """Hold the lock of a growing file while the block runs; False when a living writer has it."""
    with growing.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _hour(at: datetime) -> str:
    """Return the folder, below a camera's, of the hour in which a moment lies."""
    return at.astimezone(UTC).strftime(f"{DAY_FORMAT}/{HOUR_FORMAT}")


def _owner(marker: Path) -> str:
    """Return whose a media folder is, '' while that is nobody's; zeros are what a power cut left of a new file."""
    try:
        return marker.read_bytes().strip(b"\0 \t\r\n").decode(errors="replace")
    except FileNotFoundError:
        return ""


def _mark(marker: Path, installation_id: UUID) -> None:
    """Make a media folder an installation's; on a full disk it stays nobody's until there is room."""
    partial = marker.with_name(f"{marker.name}.new")
    try:
        partial.write_text(str(installation_id))
        settle(partial, marker)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        partial.unlink(missing_ok=True)
        marker.touch()
