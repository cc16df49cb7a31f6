"""All that is known about one person as a ZIP file: what the hub knows, and the pictures."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from marengocam.core.errors import StoreError
from marengocam.media.disk_thread import still_answers
from marengocam.media.store import Store

PERSON_FILE = "person.json"


def archive_bytes(everything: Mapping[str, Any], store: Store) -> int:
    """Return how large the archive may become."""
    pictures = [store.resolve(path) for path in dict.fromkeys(_pictures(everything))]
    return len(_told(everything)) + sum(file.stat().st_size for file in pictures if file.is_file())


def write_archive(content: Path, everything: Mapping[str, Any], store: Store) -> int:
    """Write the archive; return how many pictures are in it. Pictures that are gone are left out.

    Raises StoreError when it cannot be written.
    """
    count = 0
    try:
        with _private(content) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(PERSON_FILE, _told(everything))
            for path in dict.fromkeys(_pictures(everything)):
                still_answers()
                picture = store.resolve(path)
                if picture.is_file():
                    archive.write(picture, path, zipfile.ZIP_STORED)
                    count += 1
    except OSError as error:
        raise StoreError(f"The archive cannot be written: {error.strerror}.") from error
    return count


def _private(content: Path) -> BinaryIO:
    """Open a new file for this account alone: faces are in it."""
    return os.fdopen(os.open(content, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _told(everything: Mapping[str, Any]) -> bytes:
    return json.dumps(everything, indent=1, ensure_ascii=False).encode()


def _pictures(everything: Mapping[str, Any]) -> Iterator[str]:
    for row in (everything["person"], *everything["faces_and_looks"]):
        if row["picture_path"]:
            yield row["picture_path"]
    for track in everything["tracks"]:
        yield from (path for path in (track["crop_path"], track["face_crop_path"], *track["crop_paths"]) if path)
