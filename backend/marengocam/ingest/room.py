"""Room for the present moment when nobody else makes it: the hub is away, or the janitor is, or it is too slow."""

import asyncio
import logging
import threading
from datetime import timedelta
from pathlib import PurePosixPath

from marengocam.core.clock import Clock
from marengocam.core.errors import MarengoCamError
from marengocam.db.hub import Hub
from marengocam.media.last_resort import FULL_SHARE, given_up, hold_ballast, make_room, settle
from marengocam.media.space import Space
from marengocam.media.store import Store

LOOK_EVERY_S = 1.0
AT_LEAST_FILES = 4  # a write was refused though the disk says that it has room
SETTLED_AFTER = timedelta(minutes=10)  # until then a row may still be on its way for a file that is gone
TOLD_EVERY_S = 60.0
DISK_FULL_REASON = (
    "The disk is full: ingest itself deletes the oldest recordings to record the present. Make room on it, "
    "and see whether the janitor runs."
)
NO_FILES_REASON = (
    "The disk has room, but for no more files (inodes): ingest itself deletes the oldest recordings to record the "
    "present. Delete small files on it, and see whether the janitor runs."
)
QUOTA_REASON = (
    "The disk has room and takes no more, as under a quota: ingest itself deletes the oldest recordings to record the "
    "present. Raise the quota, or set retention_max_bytes below it."
)
QUOTA_HOLDS_S = 60.0  # since the last refusal: between two of them a quota cannot be seen
_LOG = logging.getLogger(__name__)


class Room:
    """Looks at the disk once a second, on a thread of its own, and deletes the oldest recordings as the last resort."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.given_up = 0
        self.problem = ""  # what the last look found
        self._store = store
        self._clock = clock
        self._woken = threading.Event()
        self._refused = False
        self._stopping = False
        self._told_s: float | None = None
        self._quota_at_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="room on the disk", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping = True
        self._woken.set()

    def refused(self) -> None:
        """Note that a write was refused for want of room; called on any thread."""
        self._refused = True
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping:
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()
            try:
                self.look()
            except (MarengoCamError, OSError) as error:
                self._tell("room on the disk cannot be made: %s", error)
            except Exception:  # noqa: BLE001 - without this thread a full disk ends recording; it is logged
                _LOG.exception("room on the disk cannot be made")

    def look(self) -> None:
        """Look once, and make room where there is none. Raises MarengoCamError, OSError."""
        if self._store.problem or not self._store.marked():
            self.problem = ""
            return  # no disk, or another installation's: nothing is put there, and nothing deleted, however full it is
        refused = self._refused
        if refused:  # or one that comes just now would be forgotten
            self._refused = False
        space = self._store.space()
        full = space.used_share > FULL_SHARE
        self.problem = self._seen(space, full=full, refused=refused)
        if not full and not refused:
            hold_ballast(self._store)
            return
        gone = make_room(self._store, self._clock.now(), at_least=AT_LEAST_FILES if refused else 0)
        self.given_up += len(gone)
        if gone:
            self._tell("the %d oldest recordings went, to record the present: %s", len(gone), self.problem)
        else:
            self._tell("there is no recording left to delete (%d so far): %s", self.given_up, self.problem)

    def _seen(self, space: Space, *, full: bool, refused: bool) -> str:
        now_s = self._clock.monotonic_s()
        if full:
            return NO_FILES_REASON if space.lacks_files else DISK_FULL_REASON
        if refused:
            self._quota_at_s = now_s
        holds = self._quota_at_s is not None and now_s - self._quota_at_s < QUOTA_HOLDS_S
        return QUOTA_REASON if holds else ""

    def _tell(self, text: str, *values: object) -> None:
        now_s = self._clock.monotonic_s()
        if self._told_s is None or now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            _LOG.warning(text, *values)


async def settle_given_up(hub: Hub, store: Store, clock: Clock) -> None:
    """Bring the index in line with what went without it. Raises HubUnavailableError, StoreError; again is no harm."""
    listed = await asyncio.to_thread(given_up, store)
    if not listed:
        return
    stuck = [path for path in listed if not await asyncio.to_thread(_is_deleted, store, path)]
    now = clock.now()
    await hub.chunks.condemn_paths(list(listed), now)
    settled = [path for path, at in listed.items() if path not in stuck and abs(now - at) > SETTLED_AFTER]
    await asyncio.to_thread(settle, store, settled)


def _is_deleted(store: Store, path: PurePosixPath) -> bool:
    """Delete a file that was given up, since a kill may have come between the list and the file; False: it stays."""
    try:
        store.delete(path)
    except MarengoCamError as error:
        _LOG.warning("%s", error)
        return False
    return True
