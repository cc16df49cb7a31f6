"""How much room a disk has."""

import os
from dataclasses import dataclass
from pathlib import Path

from marengocam.core.errors import StoreError


@dataclass(frozen=True, slots=True)
class Space:
    """How full a disk is for us: what only root may use counts as used."""

    total_bytes: int
    free_bytes: int
    total_files: int = 0  # 0: the file system has no limit of its own
    free_files: int = 0

    @property
    def used_share(self) -> float:
        """Bytes or files, whichever runs out first."""
        return max(self._by_bytes, self._by_files)

    @property
    def lacks_files(self) -> bool:
        """Whether files (inodes) run out before bytes."""
        return self._by_files > self._by_bytes

    @property
    def _by_bytes(self) -> float:
        return 1 - self.free_bytes / self.total_bytes if self.total_bytes else 1.0

    @property
    def _by_files(self) -> float:
        return 1 - self.free_files / self.total_files if self.total_files else 0.0


def space_of(folder: Path) -> Space:
    """Return how full the disk of a folder is; raises StoreError."""
    try:
        seen = os.statvfs(folder)
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    size = seen.f_frsize
    return Space(seen.f_blocks * size, seen.f_bavail * size, seen.f_files, seen.f_favail)
