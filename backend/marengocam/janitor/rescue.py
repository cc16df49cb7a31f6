"""Survival mode carried out: told to ingest and to everybody, and the oldest recordings deleted."""

import contextlib
import logging

from prometheus_client import Counter, Gauge

from marengocam.core.errors import StoreError
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.core.survival import SHED_LEVEL
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.janitor.favourites import Favourites
from marengocam.janitor.quiet import Disks
from marengocam.janitor.retention import to_sacrifice
from marengocam.janitor.survival import Reading, Survival, advance, resumed
from marengocam.janitor.watching import lag_of
from marengocam.media.space import Space
from marengocam.media.store import Store
from marengocam.runtime.context import ServiceContext

SACRIFICED_AT_ONCE = 20
WORK_LIMIT_S = 10.0  # then the others are looked at again
REASONS = {
    "disk": "the disk is nearly full, and the oldest recordings go whatever their age",
    "lag": "analysis is behind",
}
LACKS_FILES = (
    "the disk has room, but hardly for any more files (inodes), and the oldest recordings go whatever their age"
)
FULL_OF_OTHERS = "The disk is full of other things than recordings: make room on it, or use another disk."
FILES_OF_OTHERS = (
    "The disk takes hardly any more files (inodes), and they are other things than recordings: "
    "delete small files on it, or use another disk."
)
_LOG = logging.getLogger(__name__)


class Rescue:
    """Decides on each look, and does what was decided."""

    def __init__(self, context: ServiceContext, store: Store, disks: Disks, favourites: Favourites) -> None:
        self.state = Survival()
        self.space: Space | None = None
        self.lag_s: float | None = None
        self.sacrificed = 0
        self.problem = ""
        self.disk_problem = ""
        self._context = context
        self._store = store
        self._disks = disks
        self._favourites = favourites
        self._told: Survival | None = None  # None: nobody knows what an earlier janitor left
        registry = context.metrics
        self._level_gauge = Gauge("marengocam_survival_level", "steps given up by survival mode", registry=registry)
        self._disk_gauge = Gauge("marengocam_disk_used_share", "how full the recordings' disk is", registry=registry)
        self._lag_gauge = Gauge("marengocam_ingest_lag_s", "how far ingest is behind", registry=registry)
        self._counter = Counter("marengocam_sacrificed_chunks", "deleted to survive", registry=registry)

    async def look(self) -> None:
        """Look once, and act. Raises HubUnavailableError; the decision holds nevertheless."""
        clock, hub = self._context.clock, self._context.hub
        try:
            self.space, self.disk_problem = await self._disks.space(), ""
        except StoreError as error:
            self.space, self.disk_problem = None, str(error)
        used_share = self.space.used_share if self.space is not None else None
        if self._told is None:
            self.state = resumed(await hub.settings_store.get(SHED_LEVEL), clock.monotonic_s())
            self._told = self.state
        self.lag_s = lag_of(await hub.cameras.statuses())
        self.state = advance(self.state, Reading(used_share, self.lag_s), clock.monotonic_s())
        self._level_gauge.set(self.state.level)
        self._disk_gauge.set(used_share or 0.0)
        self._lag_gauge.set(self.lag_s or 0.0)
        self._disks.first.hurry = "disk" in self.state.reasons
        await self._tell()
        if "disk" in self.state.reasons:
            await self._sacrifice()
        else:
            self.problem = ""

    @property
    def reason(self) -> str:
        """What an owner is told while it is on."""
        texts = REASONS | {"disk": LACKS_FILES} if self._lacks_files else REASONS
        causes = " and ".join(texts[one] for one in self.state.reasons) or "it is on its way out"
        return self.problem or f"Survival mode, step {self.state.level} ({self.state.step}): {causes}."

    @property
    def _lacks_files(self) -> bool:
        return self.space is not None and self.space.lacks_files

    async def _tell(self) -> None:
        """Have ingest, the events and the log follow; what could not be told is told at the next look."""
        told = self._told
        if told is not None and told.level == self.state.level:
            return
        now, hub = self._context.clock.now(), self._context.hub
        data = {
            "state": "on" if self.state.on else "off",
            "level": self.state.level,
            "step": self.state.step,
            "reasons": list(self.state.reasons),
            "disk_used_share": round(self.space.used_share, 4) if self.space is not None else None,
            "ingest_lag_s": self.lag_s,
        }
        event = NewEvent(new_id(now), EventType.SURVIVAL_MODE_CHANGED, now, data=data)
        # Both or neither: a janitor that is killed leaves no step that nobody was told of.
        async with hub.database.transaction() as connection:
            await hub.settings_store.set(SHED_LEVEL, self.state.level, connection)
            await hub.events.append([event], connection)
        self._told = self.state
        message = self.reason if self.state.on else "Survival mode is over."
        _LOG.warning("%s", message)
        await hub.health.log("janitor", "survival_mode", "warning" if self.state.on else "info", message, data)

    async def _take_favourites(self) -> None:
        with contextlib.suppress(StoreError):  # the word left in the folder may not fit now; the hub has it
            await self._favourites.take()

    async def _sacrifice(self) -> None:
        """Delete the oldest recordings until the disk, measured after each batch, is relieved; favourites last."""
        hub, clock = self._context.hub, self._context.clock
        await self._take_favourites()
        until_s = clock.monotonic_s() + WORK_LIMIT_S
        while self.space is not None and clock.monotonic_s() < until_s and not self._context.stopping.is_set():
            oldest = await hub.retention.oldest(SACRIFICED_AT_ONCE, folder="recordings")
            going = to_sacrifice(oldest, self.space)
            await condemn(hub, going, clock)
            done = await carry_out(hub, self._store, self._disks, pause_s=0.0)
            self.sacrificed += done.count
            self._counter.inc(done.count)
            others = FILES_OF_OTHERS if self._lacks_files else FULL_OF_OTHERS
            self.problem = done.problem or ("" if oldest or done.count else others)
            if not done.count:
                return
            self.space = await self._disks.space()
