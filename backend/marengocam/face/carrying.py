"""Persons are carried to the face engines of other makers: registered, renamed and erased here, so there too.

What an engine should know follows from the hub, what it was told is noted there: whatever is cut short, by a kill or an
engine that is away, is found by comparing the two and done again.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

import aiohttp

from marengocam.core.clock import Clock
from marengocam.core.errors import FaceEngineError, MarengoCamError, StoreError
from marengocam.db.engine_copies import EngineCopy, EnrolledPerson
from marengocam.db.hub import Hub
from marengocam.engines.choice import engine_at
from marengocam.engines.protocol import FaceEngine
from marengocam.face.pictures import KeptPictures
from marengocam.runtime.context import ServiceContext

ROUND_S = 30.0  # behind every notice of a change
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 600.0  # of an engine
HUB_RETRY_S = 2.0  # the hint that could not be followed is gone
CALL_LIMIT_S = 15.0  # an engine works some seconds on a picture
LEASE_S = 120.0
NO_FACE = "it finds no face in any picture of this person"
NO_PICTURE = "none of this person's pictures can be read"
LEFT_BEHIND = "it is not in face_engines any more: list it there until it has forgotten them, or empty it there"
FAILED = "telling it failed inside MarengoCam, see the log of face"
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Carried:
    """How one engine stands."""

    persons: int = 0
    waiting: int = 0
    problem: str = ""  # why it cannot be told now
    unusable: int = 0  # persons it was told of but cannot recognise


async def carry(hub: Hub, pictures: KeptPictures, engine: FaceEngine, clock: Clock) -> Carried:
    """Tell an engine all that it does not know yet; return how it stands then.

    Raises HubUnavailableError; what the engine refuses ends the round and stands in `problem`.
    """
    name = engine.address.name
    wanted = {one.person_id: one for one in await hub.engine_copies.wanted()}
    told = await hub.engine_copies.told(name)
    gone = [copy for person_id, copy in told.items() if person_id not in wanted]
    changed = [one for one in wanted.values() if _differs(one, told.get(one.person_id))]
    waiting = len(gone) + len(changed)
    problem = ""
    try:
        for copy in gone:
            await _forget(engine, copy)
            await hub.engine_copies.drop(name, copy.person_id)
            waiting -= 1
        if changed:
            await pictures.check()  # or who has pictures would be forgotten there for having none
        for one in changed:
            await _tell(hub, pictures, engine, one, told.get(one.person_id), clock)
            waiting -= 1
    except (FaceEngineError, StoreError, TimeoutError) as error:
        problem = str(error).rstrip(".") or f"no answer within {CALL_LIMIT_S:.0f} s"
    told = await hub.engine_copies.told(name)
    unusable = sum(1 for copy in told.values() if copy.problem)
    return Carried(len(told) - unusable, waiting, problem, unusable)


def _differs(one: EnrolledPerson, copy: EngineCopy | None) -> bool:
    return copy is None or (copy.name, copy.pictures) != (one.name, one.digest)


async def _forget(engine: FaceEngine, copy: EngineCopy) -> None:
    """Have the engine forget a person; of who was erased here the name is found among those that it tells."""
    names = [copy.name] if copy.name is not None else filter(copy.is_called, await engine.names(CALL_LIMIT_S))
    for name in names:
        await engine.remove(name, CALL_LIMIT_S)


async def _tell(
    hub: Hub,
    kept: KeptPictures,
    engine: FaceEngine,
    one: EnrolledPerson,
    copy: EngineCopy | None,
    clock: Clock,
) -> None:
    """Have the engine know a person anew, under the present name and by the present pictures alone."""
    name = engine.address.name
    if copy is not None:
        await _forget(engine, copy)
    # Noted first: after a kill it is known under which name something may be there.
    await hub.engine_copies.note(name, EngineCopy(one.person_id, one.name, ""), clock.now())
    await engine.remove(one.name, CALL_LIMIT_S)
    pictures = [content for path in one.pictures if (content := await kept.read(path))]
    taken = await engine.register(one.name, pictures, CALL_LIMIT_S * max(1, len(pictures))) if pictures else 0
    problem = "" if taken else NO_FACE if pictures else NO_PICTURE
    await hub.engine_copies.note(name, EngineCopy(one.person_id, one.name, one.digest, problem), clock.now())


class Carrying:
    """Carries persons to every engine while the face service runs."""

    def __init__(self) -> None:
        self.engines: dict[str, Carried] = {}
        self.left_behind: dict[str, Carried] = {}  # engines that are not asked any more and know who was erased here

    async def run(self, context: ServiceContext, pictures: KeptPictures | None) -> None:
        """Carry at once what has changed, and try again what could not be carried, until told to end."""
        addresses = context.settings.foreign_engines
        if pictures is None:
            return
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(
                self._look_back(context, [one.name for one in addresses]),
                *(self._serve(context, pictures, engine_at(one, session)) for one in addresses),
            )

    def standing(self) -> dict[str, Carried]:
        """Return how every engine stands, those of before included that know whom they should not."""
        return self.left_behind | self.engines

    @property
    def problem(self) -> str:
        """Return what an owner should know, empty when all engines know everybody."""
        return " ".join(
            f"Persons wait to be told to {name}: {one.problem}." for name, one in self.engines.items() if one.problem
        )

    async def _serve(self, context: ServiceContext, pictures: KeptPictures, engine: FaceEngine) -> None:
        name, pause_s = engine.address.name, FIRST_RETRY_S
        with context.bus.subscribed("person") as changed:
            while not context.stopping.is_set():
                try:
                    # One process at a time: two would register the same pictures twice.
                    lease = await context.hub.leases.acquire(f"carry:{name}", context.instance, LEASE_S)
                    if lease is not None:
                        self._note(name, await carry(context.hub, pictures, engine, context.clock))
                except MarengoCamError as error:
                    _LOG.debug("persons are carried to %s later: %s", name, error)
                    await context.pause(HUB_RETRY_S)
                    continue
                except Exception:  # noqa: BLE001 - one engine's oddity must not end the others' rounds; it is logged
                    _LOG.exception("persons cannot be told to %s", name)
                    known = self.engines.get(name, Carried())
                    self.engines[name] = replace(known, problem=FAILED)
                stuck = name in self.engines and self.engines[name].problem
                pause_s = min(pause_s * 2, LAST_RETRY_S) if stuck else FIRST_RETRY_S
                await context.woken(changed, pause_s if stuck else ROUND_S)

    async def _look_back(self, context: ServiceContext, asked: list[str]) -> None:
        """Know of engines that were taken out of the setting and have yet to forget who was erased."""
        with context.bus.subscribed("person") as changed:
            while not context.stopping.is_set():
                try:
                    found = await context.hub.engine_copies.left_behind(asked)
                except MarengoCamError as error:
                    _LOG.debug("engines of before are looked up later: %s", error)
                    await context.pause(HUB_RETRY_S)
                    continue
                except Exception:  # noqa: BLE001 - the rounds of all engines would end with it; it is logged
                    _LOG.exception("engines of before cannot be looked up")
                else:
                    for name in found.keys() - self.left_behind.keys():
                        _LOG.warning("%s knows persons who were erased here: %s", name, LEFT_BEHIND)
                    self.left_behind = {one: Carried(waiting=n, problem=LEFT_BEHIND) for one, n in found.items()}
                await context.woken(changed, ROUND_S)

    def _note(self, name: str, now: Carried) -> None:
        before = self.engines.get(name, Carried())
        if now.problem and not before.problem:
            _LOG.warning("persons cannot be told to %s: %s", name, now.problem)
        self.engines[name] = now
