"""Whether the media folder's disk is there: a mount point without its disk looks like a new, empty folder."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from marengocam.core.errors import StoreError
from marengocam.media.store import MARKER, Store

NOT_SEEN = "The media folder has not been looked at yet."
INSTALLATION = "installation_id"  # in the data folder: which disks are ours, for when the hub is away
KNOWN = "media_disk"  # in the data folder: the media folder that lay on another disk than that and the system
SYSTEM = Path("/")
T = TypeVar("T")


class NotOurDiskError(StoreError):
    """A folder's disk is not mounted, or another's is in its place: that a file is not there says nothing."""

    def __init__(self, text: str, folder: Path) -> None:
        super().__init__(text)
        self.folder = folder


class MediaFolder:
    """The media folder as ingest looks after it: until it was seen to be the right one, nothing is written there."""

    def __init__(self, store: Store, data_dir: Path) -> None:
        self._store = store
        self._data_dir = data_dir
        store.problem = NOT_SEEN

    def look(self, installation_id: UUID | None) -> None:
        """See whether it may be written now, None: the hub is away; raises StoreError, which `store.problem` keeps."""
        try:
            check_mounted(self._store.root, self._data_dir)
            self._store.prepare(self._known_id(installation_id))
        except StoreError as error:
            self._store.problem = str(error)
            raise
        self._store.problem = ""

    def _known_id(self, told: UUID | None) -> UUID | None:
        kept = self._data_dir / INSTALLATION
        known = None
        with contextlib.suppress(OSError, ValueError):  # not kept yet, or damaged: then the hub is waited for
            known = UUID(kept.read_text().strip())
        if told is not None and told != known:
            with contextlib.suppress(OSError):
                kept.write_text(str(told))
        return told or known


def check_ours(folder: Path, installation_id: UUID) -> None:
    """Raise NotOurDiskError unless a media or archive folder carries this installation's marker; StoreError."""
    store = Store(folder)
    if store.belongs_to(installation_id):
        return
    marker = folder / MARKER
    if store.owner():
        text = (
            f"{folder} belongs to another MarengoCam installation: mount the right disk. Until then nothing is "
            "written or deleted there."
        )
    else:
        text = (
            f"{folder} does not carry this installation's file {marker.name}: mount its disk. (Ingest puts it into a "
            "new folder, within seconds.) Until then nothing is written or deleted there."
        )
    raise NotOurDiskError(text, folder)


def while_ours(folder: Path, installation_id: UUID, work: Callable[[], T]) -> T:
    """Do something on a disk that is ours before and after. Raises NotOurDiskError, StoreError."""
    check_ours(folder, installation_id)
    done = work()
    check_ours(folder, installation_id)  # or it may have been done on the disk that is there now
    return done


def check_mounted(media_dir: Path, data_dir: Path) -> None:
    """Raise StoreError when the media folder was on a disk of its own, and is now an empty folder.

    One beside the data, or on the system's disk: a new, empty disk in its place is as good. In a container the
    system's disk is not the host's; there only the data's tells.
    """
    known, marker = data_dir / KNOWN, media_dir / MARKER
    try:
        was_apart = known.read_text() == str(media_dir) if known.exists() else False
        if _device(media_dir) not in {_device(data_dir), _device(SYSTEM)}:
            if not was_apart and marker.exists():
                known.write_text(str(media_dir))
        elif was_apart and not marker.exists():
            raise StoreError(
                f"The disk of the media folder {media_dir} is not mounted: mount it. To record without it, put an "
                f"empty file {MARKER} into the folder."
            )
        elif was_apart:
            known.unlink()
    except OSError as error:
        raise StoreError(f"The media folder {media_dir} cannot be used: {error.strerror}.") from error


def _device(folder: Path) -> int:
    """Return the file system on which a folder lies, or will lie."""
    while not folder.exists():
        folder = folder.parent
    return folder.stat().st_dev
