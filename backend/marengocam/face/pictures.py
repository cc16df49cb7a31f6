"""The pictures of persons on the media folder's disk, written and read by threads of its own."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from uuid import UUID

from marengocam.core.errors import BadInputError, StoreError
from marengocam.db.access import INSTALLATION_ID
from marengocam.db.hub import Hub
from marengocam.media.disk_thread import DiskThreads
from marengocam.media.mounting import check_ours, while_ours
from marengocam.media.store import Store

DISK_LIMIT_S = 5.0  # without a sign of life; it is asked again by whoever wanted something
DISK_THREADS = 2


class KeptPictures:
    """What face keeps of persons, on a disk that is ours: one that is not mounted, or another's, is left alone."""

    def __init__(self, hub: Hub, store: Store) -> None:
        self._hub = hub
        self._store = store
        self._disk = DiskThreads(store.root, DISK_LIMIT_S, DISK_THREADS)

    async def check(self) -> None:
        """Raise NotOurDiskError while the disk is not ours, or StoreError."""
        await self._disk.run(check_ours, self._store.root, await self._ours())

    async def write(self, path: PurePosixPath, picture: bytes) -> None:
        """Keep a picture. Raises NotOurDiskError, StoreError."""

        def write() -> None:
            self._store.write_picture(path, picture)

        await self._disk.run(while_ours, self._store.root, await self._ours(), write)

    async def read(self, path: PurePosixPath) -> bytes | None:
        """Return a picture, None when it is gone or cannot be read. Raises DiskHangsError."""
        return await self._disk.run(_content, self._store, path)

    async def delete(self, paths: Sequence[PurePosixPath]) -> None:
        """Delete pictures. Raises StoreError, at the end."""
        await self._disk.run(self._store.delete_all, paths)

    def close(self) -> None:
        """Let the disk's threads end."""
        self._disk.close()

    async def _ours(self) -> UUID:
        known = await self._hub.settings_store.get(INSTALLATION_ID)
        if known is None:
            raise StoreError("The media folder has not been prepared yet: start ingest, which does it within seconds.")
        return UUID(known)


def _content(store: Store, path: PurePosixPath) -> bytes | None:
    try:
        return store.resolve(path).read_bytes()
    except (OSError, BadInputError):
        return None
