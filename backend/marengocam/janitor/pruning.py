"""Old rows: deleted in batches, and whether the database keeps up with vacuuming after them.

Partitions are not used; `docs/design/janitor.md` says why.
"""

import asyncio
from datetime import timedelta
from pathlib import PurePosixPath

from prometheus_client import Gauge

from marengocam.db.retention import DeadRows
from marengocam.janitor.quiet import Disks
from marengocam.media.store import Store
from marengocam.replay.places import remove_folder
from marengocam.runtime.context import ServiceContext

EVENTS_KEPT = timedelta(days=90)
HEALTH_LOG_KEPT = timedelta(days=30)
SAMPLES_KEPT = timedelta(days=40)
PRUNED_TRACKS = 500
REPLAYS_KEPT = timedelta(days=30)  # after their end
PRUNED_REPLAYS = 50
STRANGERS_KEPT = timedelta(days=90)  # as far back as the resolver looks for them
PRUNED_IDENTITIES = 2000
FORGOTTEN_TRACKS = 500
BATCH_PAUSE_S = 0.2
DEAD_ROWS, DEAD_SHARE = 50_000, 0.5  # more than both: the database does not keep up
NAMED_TABLES = 8


async def prune(context: ServiceContext, store: Store, disks: Disks, longest: timedelta, dead: Gauge) -> None:
    """Delete rows that are too old: tracks live as long as the longest kept recording, which they explain."""
    hub, now = context.hub, context.clock.now()
    while True:
        await disks.check()  # before the rows go that name the files
        pruned = await hub.tracks.prune(now - longest, PRUNED_TRACKS)
        await _delete(store, disks, pruned.pictures)
        if pruned.count < PRUNED_TRACKS:
            break
        await asyncio.sleep(BATCH_PAUSE_S)
    await _forget_strangers(context, store, disks)
    await hub.persons.prune_identities(now - STRANGERS_KEPT, PRUNED_IDENTITIES)
    await hub.events.prune(now - EVENTS_KEPT)
    await hub.health.prune(now - HEALTH_LOG_KEPT)
    await hub.history.prune(now - SAMPLES_KEPT)
    await _prune_replays(context, disks)
    for table in (found := await hub.retention.dead_rows())[:NAMED_TABLES]:
        dead.labels(table.table).set(table.dead)
    for table in found:
        if overdue(table):
            message = (
                f"The database does not keep up with tidying up: {table.dead} dead rows in {table.table}. "
                "Look for a transaction that was left open, or let autovacuum work harder."
            )
            await hub.health.log("janitor", "vacuum", "warning", message, {"dead": table.dead, "live": table.live})


def overdue(table: DeadRows) -> bool:
    """Return whether a table waits for a vacuum for too long."""
    return table.dead > DEAD_ROWS and table.dead > DEAD_SHARE * table.live


async def _forget_strangers(context: ServiceContext, store: Store, disks: Disks) -> None:
    """Forget what unknown people looked like, as long ago as their owner wants."""
    before = context.clock.now() - timedelta(days=context.settings.stranger_days)
    while True:
        await disks.check()
        count, pictures = await context.hub.privacy.forget_strangers(before, FORGOTTEN_TRACKS)
        await _delete(store, disks, pictures)
        if count < FORGOTTEN_TRACKS:
            return
        await asyncio.sleep(BATCH_PAUSE_S)


async def _prune_replays(context: ServiceContext, disks: Disks) -> None:
    """Remove replays that ended long ago, with their tracks and files."""
    await disks.check()
    while gone := await context.hub.replays.prune(context.clock.now() - REPLAYS_KEPT, PRUNED_REPLAYS):
        for run_id in gone:
            await disks.on_ours(disks.first, remove_folder, context.settings.media_dir, run_id)
        await asyncio.sleep(BATCH_PAUSE_S)


async def _delete(store: Store, disks: Disks, pictures: "list[PurePosixPath] | tuple[PurePosixPath, ...]") -> None:
    for picture in pictures:
        await disks.delete(store, picture)
