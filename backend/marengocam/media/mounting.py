"""Whether the media folder's disk is there: a mount point without its disk looks like a new, empty folder."""

from pathlib import Path

from marengocam.core.errors import StoreError
from marengocam.media.store import MARKER

KNOWN = "media_disk"  # in the data folder: the media folder that lay on another disk than that


def check_mounted(media_dir: Path, data_dir: Path) -> None:
    """Raise StoreError when the media folder was on a disk of its own, and is now an empty folder beside the data."""
    known, marker = data_dir / KNOWN, media_dir / MARKER
    try:
        was_apart = known.read_text() == str(media_dir) if known.exists() else False
        if _device(media_dir) != _device(data_dir):
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
