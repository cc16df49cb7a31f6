"""Which processes that shared our data folder no longer live: a lock tells it, which goes with its process."""

import contextlib
import fcntl
import logging
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Self

FOLDER = "alive"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BOOT_ID_BYTES = 36
ENDED = b" ended"  # behind the boot, once that was found out
ENDED_KEPT_S = 60.0  # and then: longer than leases and heartbeats of the dead last, should more starts follow soon
_LOG = logging.getLogger(__name__)
_UNFIT = re.compile(r"[^A-Za-z0-9.-]")


class SignOfLife:
    """A locked file of this process in the data folder.

    Others of the same kernel see by its lock whether the process lives, in whichever container either of them is, and
    whatever process ids were given out since. On a folder that other machines share, files written under another boot
    are nobody's neighbours: locks over a network are not to be trusted with this.
    """

    def __init__(self, data_dir: Path, instance: str) -> None:
        self._folder = data_dir / FOLDER
        self._own = self._file_of(instance)
        self._descriptor: int | None = None
        self._ended: set[Path] = set()

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._own, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._descriptor, _this_boot())
            self._sweep()
        except OSError as error:
            _LOG.warning("after a crash its work waits until the lease ends: %s cannot be locked: %s", self._own, error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            self._own.unlink(missing_ok=True)
            os.close(self._descriptor)

    def is_dead(self, instance: str) -> bool:
        """Return whether an instance is known to have ended; False also when nothing is known of it."""
        file = self._file_of(instance)
        if file not in self._ended and self._has_ended(file):
            self._ended.add(file)
        return file in self._ended

    def _sweep(self) -> None:
        """Remember who ended before this one began; remove what is left of those that ended long ago."""
        for file in self._folder.iterdir():
            if not self._has_ended(file):
                continue
            self._ended.add(file)
            with contextlib.suppress(OSError):  # another start sweeps too, or the disk is full: a later one will do
                self._tidy(file)

    def _tidy(self, file: Path) -> None:
        if not file.read_bytes().endswith(ENDED):
            with file.open("ab") as mark:
                mark.write(ENDED)
        elif self._own.stat().st_mtime - file.stat().st_mtime > ENDED_KEPT_S:  # by the folder's own clock
            file.unlink(missing_ok=True)

    def _has_ended(self, file: Path) -> bool:
        if file == self._own:
            return False
        try:
            descriptor = os.open(file, os.O_RDWR)
        except OSError:
            return False
        try:
            if os.read(descriptor, BOOT_ID_BYTES) != _this_boot():
                return False
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False  # it is locked: its process lives
        finally:
            os.close(descriptor)
        return True

    def _file_of(self, instance: str) -> Path:
        return self._folder / _UNFIT.sub("_", instance)


def _this_boot() -> bytes:
    return BOOT_ID.read_bytes().strip()
