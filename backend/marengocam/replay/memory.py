"""What stood in a camera's picture as the live camera had learned it: read once for a run, kept with it, never changed.

So a run that is repeated or goes on after a crash knows the same furniture, whatever the live camera learns meanwhile.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marengocam.core.errors import MarengoCamError
from marengocam.db.hub import Hub
from marengocam.ingest.furniture import Furniture
from marengocam.replay.folder import write_whole

MEMORY = "furniture.json"
Remembered = Sequence[Mapping[str, Any]]  # places as `Furniture.to_json` tells them
_LOG = logging.getLogger(__name__)


async def remembered(hub: Hub, camera_id: str, file: Path | None) -> Remembered:
    """Return what a camera had learned when that was kept in a file; else what it has learned by now, and keep that."""
    kept = await asyncio.to_thread(_kept, file) if file is not None else None
    if kept is not None:
        return kept
    try:
        learned = _checked(await hub.memory.furniture(camera_id))
    except MarengoCamError as error:
        _LOG.warning("the replay knows no furniture of camera %s: %s", camera_id, error)
        return ()
    if file is not None:
        await asyncio.to_thread(_keep, file, learned)
    return learned


def memory_digest(places: Remembered) -> str:
    """Return a digest of what is remembered, for inputs that are to be told apart."""
    return hashlib.sha256(json.dumps(list(places), sort_keys=True).encode()).hexdigest()[:16]


def _kept(file: Path) -> Remembered | None:
    try:
        return _checked(json.loads(file.read_bytes()))
    except (OSError, ValueError):
        return None


def _keep(file: Path, places: Remembered) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(file, json.dumps(list(places)).encode())


def _checked(places: Any) -> Remembered:
    try:
        Furniture.from_json(places)
    except (KeyError, TypeError, ValueError):
        _LOG.warning("what the camera had learned cannot be read: the replay knows no furniture")
        return ()
    known: Remembered = places
    return known
