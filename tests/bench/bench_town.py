"""Identity in a made-up town of 50 people with exact truth: IDF1, names, calibration, and the same without each cue."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry
from tests.bench.identity_figures import Decided, all_figures
from tests.bench.measuring import arguments_of, at_least, at_most, tell
from tests.bench.peers import hub_settings
from tests.bench.town import CAMERAS, FACE, START, Town, build, look

from marengocam.core.calibration import FACE_FITS
from marengocam.core.clock import ManualClock
from marengocam.core.identity import CameraGraph
from marengocam.core.model import Camera, EventType, LocalTrack
from marengocam.db.hub import Hub, open_hub
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn

RESIDENT_SHARE = 0.25
FACES_EACH = 3
CONFIRM = 0.95
LEARN_EVERY = timedelta(minutes=10)
SEED = 3
EMPTY = "TRUNCATE local_track, identity, assignment, exemplar, event, person, lease, camera CASCADE"
Leave = Callable[[LocalTrack], LocalTrack]


def main() -> int:
    parser = arguments_of(__doc__, people=50, journeys=5, hours=8.0, seed=SEED)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.people, arguments.journeys, arguments.hours, arguments.seed))
    every = figures["all cues"]
    best_alone = max(figures["faces only"]["idf1"], figures["appearance only"]["idf1"])
    targets = [
        at_least("issue", "precision of names", every["precision"], 0.99),
        at_most("issue", "wrong names", every["wrong_names"], 0),
        at_most("issue", "ECE of names", every["ece"], 0.05),
        at_least("issue", "IDF1 above the better of one cue alone", round(every["idf1"] - best_alone, 3), 0.1),
    ]
    notes = ["Looks are synthetic, spread as core/calibration.py says; the transit times are learned on the way."]
    tell("town", arguments.json, figures, targets, notes)
    return 0


async def measure(people: int, journeys: int, hours: float, seed: int) -> dict[str, Any]:
    town = build(people, max(1, round(people * RESIDENT_SHARE)), journeys, hours, seed)
    figures: dict[str, Any] = {}
    async with hub_settings() as settings, open_hub(settings, "bench", 2) as hub:
        for name, (leave, learns) in ways().items():
            figures[name] = await live_through(hub, town, leave, learns=learns)
    return figures


def ways() -> dict[str, tuple[Leave, bool]]:
    """Return what each variant leaves of a track, and whether place and time may speak."""
    return {
        "all cues": (lambda one: one, True),
        "no faces": (lambda one: replace(one, face=None), True),
        "no appearance": (lambda one: replace(one, appearance=None), True),
        "no place and time": (elsewhere, False),
        "face engine away": (lambda one: replace(one, face=None, face_engine_ok=False), True),
        "faces only": (lambda one: elsewhere(replace(one, appearance=None)), False),
        "appearance only": (lambda one: elsewhere(replace(one, face=None)), False),
    }


def elsewhere(one: LocalTrack) -> LocalTrack:
    """Return a track without its path: nothing can be said to go on where it left off."""
    return replace(one, path=())


async def live_through(hub: Hub, town: Town, leave: Leave, *, learns: bool) -> dict[str, Any]:
    async with hub.database.connection() as connection:
        await connection.execute(EMPTY)
    await enrol(hub, town)
    fences = {}
    for camera in CAMERAS:
        await hub.cameras.add(Camera(camera, camera, "file:///dev/null"))
        lease = await hub.leases.acquire(f"camera:{camera}", "bench", 86_400)
        assert lease is not None
        fences[camera] = lease.fence
    clock, metrics = ManualClock(START), ResolverMetrics(CollectorRegistry())
    graph, learn_at = CameraGraph(), START
    for revision in town.revisions:
        clock.at = revision.last_seen_at
        await hub.tracks.save([leave(revision)], fences)
        if learns and clock.at >= learn_at:
            graph, learn_at = await hub.resolution.camera_graph(clock.at), clock.at + LEARN_EVERY
        while await take_turn(hub.resolution, graph, CONFIRM, clock, metrics):
            pass
    return dict(all_figures(await decisions(hub, town), residents(town))) | await announced(hub, town)


async def enrol(hub: Hub, town: Town) -> None:
    rng = np.random.default_rng(SEED)
    for one in town.people:
        if not one.resident:
            continue
        person = await hub.persons.add(one.name, START)
        for _ in range(FACES_EACH):
            await hub.persons.add_exemplar(person.person_id, look(rng, one.face, FACE, FACE_FITS[FACE], 0.95), START)


def residents(town: Town) -> set[str]:
    return {one.name for one in town.people if one.resident}


async def decisions(hub: Hub, town: Town) -> list[Decided]:
    found = []
    for local_track_id, who in town.truth.items():
        row = await hub.tracks.get(local_track_id)  # type: ignore[arg-type]
        seconds = (row.track.last_seen_at - row.track.first_seen_at).total_seconds()
        assert row.identity_id is not None
        assert row.probability is not None
        found.append(Decided(who, row.identity_id, row.person_name, row.probability, seconds))
    return found


async def announced(hub: Hub, town: Town) -> dict[str, Any]:
    """Return how many announcements were wrong when they were made, and how soon after first sight they came."""
    wrong = right = number = 0
    waits = []
    while page := await hub.events.after(number, 1000):
        number = page[-1].number
        for event in page:
            if event.type is not EventType.PERSON_CONFIRMED:
                continue
            good = town.truth[event.local_track_id] == event.person_name
            right, wrong = right + good, wrong + (not good)
            row = await hub.tracks.get(event.local_track_id)  # type: ignore[arg-type]
            waits.append((event.occurred_at - row.track.first_seen_at).total_seconds())
    return {
        "announced": right + wrong,
        "announced_wrongly": wrong,
        "first_sight_to_name_median_s": round(float(np.median(waits)), 1) if waits else None,
    }


if __name__ == "__main__":
    sys.exit(main())
