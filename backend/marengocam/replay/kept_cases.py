"""Moments that an owner marks as tests: their recordings are kept from retention until the test is removed."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from marengocam.core.clock import Clock
from marengocam.core.errors import NotFoundError, StoreError
from marengocam.core.ids import new_id
from marengocam.core.model import Chunk
from marengocam.db.cases import ReplayCase
from marengocam.db.hub import Hub
from marengocam.media.disk_thread import DiskHangsError, DiskThreads, copy_file
from marengocam.media.mounting import check_ours
from marengocam.media.names import RecordingName
from marengocam.media.store import Store
from marengocam.replay.expectation import parse
from marengocam.replay.lead_in import LEAD_IN
from marengocam.replay.places import case_place, remove_tree
from marengocam.settings import Settings


async def moment_of(hub: Hub, event_number: int) -> tuple[datetime, str | None]:
    """Return when and on which camera an event was, such as a moment marked by hand; raises NotFoundError."""
    found = await hub.events.after(event_number - 1, 1)
    if not found or found[0].number != event_number:
        raise NotFoundError(f"There is no event {event_number}.")
    return found[0].occurred_at, found[0].camera_id


async def add_case(
    hub: Hub,
    settings: Settings,
    clock: Clock,
    disk: DiskThreads,
    *,
    name: str,
    camera_id: str,
    from_at: datetime,
    to_at: datetime,
    expected: str,
) -> ReplayCase:
    """Add a case and keep its recording from retention.

    Raises BadInputError, NotFoundError, ConflictError, and StoreError while the disk is away or full.
    """
    parse(expected)
    await disk.run(check_ours, settings.media_dir, await hub.settings_store.installation_id())
    now = clock.now()
    case = ReplayCase(new_id(now), name, camera_id, from_at, to_at, expected, now)
    if not await hub.chunks.span(camera_id, from_at, to_at):
        raise _nothing_recorded(camera_id)
    chunks = await hub.chunks.span(camera_id, from_at - LEAD_IN, to_at)
    await hub.cases.add(case)
    try:
        await disk.run(_keep, chunks, settings, case_place(settings.media_dir, case.case_id))
    except FileNotFoundError:
        await _drop(hub, settings, case, disk)
        raise _nothing_recorded(camera_id) from None
    except OSError as error:
        await _drop(hub, settings, case, disk)
        raise StoreError(f"The recording cannot be kept: {error.strerror}.") from error
    except DiskHangsError:
        await hub.cases.remove(case.case_id)
        raise
    return case


async def remove_case(hub: Hub, settings: Settings, case: ReplayCase, disk: DiskThreads) -> None:
    """Remove a case and its recording. Raises StoreError while their disk is away: the recording would stay on it."""
    await disk.run(check_ours, settings.media_dir, await hub.settings_store.installation_id())
    await _drop(hub, settings, case, disk)


async def _drop(hub: Hub, settings: Settings, case: ReplayCase, disk: DiskThreads) -> None:
    await hub.cases.remove(case.case_id)
    await disk.run(remove_tree, case_place(settings.media_dir, case.case_id))


def _keep(chunks: Sequence[Chunk], settings: Settings, place: Path) -> None:
    """Keep recordings, archived ones too, under their own names: as links where that is possible, else as copies."""
    store = Store(settings.media_dir, settings.archive_dir)
    for chunk in chunks:
        name = RecordingName.from_path(chunk.path)
        if name is None:
            continue
        kept = place / name.path
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        recording = store.find(name)
        try:
            os.link(recording, kept)
        except FileNotFoundError:
            raise
        except OSError:
            copy_file(recording, kept)


def _nothing_recorded(camera_id: str) -> NotFoundError:
    return NotFoundError(f"{camera_id} has no recording of that time: a case needs one to look at.")
