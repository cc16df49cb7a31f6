"""The resolver against histories of 1k, 100k and 1M tracks: a backlog's tracks a second, p50 and p99 of one alone."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry
from tests.bench.long_past import CAMERAS, TRACKS, World, forget_the_new, grow, new_tracks, the_world
from tests.bench.measuring import arguments_of, at_least, at_most, cpu_of, cpu_s, family, tell
from tests.bench.peers import hub_settings
from tests.bench.shared_backlog import share

from marengocam.core.clock import SystemClock
from marengocam.core.model import LocalTrack
from marengocam.db.hub import Hub, open_hub
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.rehearsal import rehearse
from marengocam.resolver.turn import take_turn
from marengocam.runtime.memory import spare_what_stays
from marengocam.settings import Settings

SIZES = (1_000, 100_000, 1_000_000)
SHARING = (1, 2)
LEASE_S = 600


def main() -> int:
    parser = arguments_of(__doc__, tracks=TRACKS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="tracks of history")
    parser.add_argument(
        "--resolvers", type=int, nargs="*", default=SHARING, help="processes that share a backlog, one figure for each"
    )
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.sizes, arguments.tracks, arguments.resolvers))
    largest = figures[str(max(arguments.sizes))]
    targets = [
        at_most("issue", f"p99 of a decision at {max(arguments.sizes)} tracks, ms", largest["decision_p99_ms"], 20.0),
        at_least("issue", "tracks resolved a second, least of all sizes", least(figures), 500.0),
        at_least("issue", "the same by processes that share the backlog, the best number", shared(figures), 500.0),
        at_most("issue", "p50 at the largest history against the smallest", flatness(figures), 2.0),
    ]
    tell(
        "resolver", arguments.json, figures, targets, ["Embeddings are synthetic, spread as core/calibration.py says."]
    )
    return 0


def least(figures: dict[str, Any]) -> float:
    return min(one["tracks_a_second"] for one in figures.values())


def shared(figures: dict[str, Any]) -> float | None:
    """Return the most tracks a second that some number of processes resolved, least of all sizes."""
    best = [max((each["tracks_a_second"] for each in one["shared"].values()), default=None) for one in figures.values()]
    return min((one for one in best if one is not None), default=None)


def flatness(figures: dict[str, Any]) -> float:
    by_size = [one["decision_p50_ms"] for _, one in sorted(figures.items(), key=lambda pair: int(pair[0]))]
    return round(by_size[-1] / by_size[0], 2)


async def measure(sizes: Sequence[int], tracks: int, resolvers: Sequence[int] = ()) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    async with hub_settings() as settings:
        history = 0
        for size in sorted(sizes):
            async with open_hub(settings, "bench", 4) as hub:
                world = await the_world(settings, hub, first=history == 0)
                await grow(settings, world, history, size)
                history = size
                fences = await leases(hub)
                figures[str(size)] = await decide(hub, world, tracks, fences)
                await forget_the_new(settings)
                figures[str(size)]["shared"] = await shares(hub, settings, new_tracks(world, tracks), fences, resolvers)
            await forget_the_new(settings)
    return figures


async def shares(
    hub: Hub, settings: Settings, backlog: Sequence[LocalTrack], fences: dict[str, int], resolvers: Sequence[int]
) -> dict[str, Any]:
    """Have each number of processes decide on the same tracks; the first run is not counted: it may name the past."""
    figures: dict[str, Any] = {}
    if resolvers:
        await share(hub, settings, backlog, fences, resolvers[0])
    first: dict[UUID, str] = {}
    for processes in resolvers:
        speed, decided = await share(hub, settings, backlog, fences, processes)
        first = first or decided
        otherwise = sum(decided[track_id] != first[track_id] for track_id in first)
        figures[str(processes)] = speed | {"decided_otherwise": otherwise}  # than by the first number
    return figures


async def leases(hub: Hub) -> dict[str, int]:
    """Take all cameras; return the fences that their tracks are written with."""
    fences = {}
    for number in range(CAMERAS):
        lease = await hub.leases.acquire(f"camera:camera{number}", "bench", LEASE_S)
        assert lease is not None
        fences[f"camera{number}"] = lease.fence
    return fences


async def decide(hub: Hub, world: World, tracks: int, fences: dict[str, int]) -> dict[str, Any]:
    """Resolve new tracks, some one by one as they come and the rest as a backlog; return the figures.

    A decision's time is that of the whole turn: waiting for its turn, claiming, reading, deciding, writing, committing.
    """
    wanted = new_tracks(world, tracks)
    metrics = ResolverMetrics(CollectorRegistry())
    spare_what_stays()  # as the service does
    graph = await hub.resolution.camera_graph(SystemClock().now())
    await rehearse(hub.resolution, graph, 0.95, SystemClock())  # and so does it
    alone = wanted[: tracks // 3]  # one by one
    times_s = []
    for one in alone:
        await hub.tracks.save([one], fences)
        before_s = time.perf_counter()
        await take_turn(hub.resolution, graph, 0.95, SystemClock(), metrics)
        times_s.append(time.perf_counter() - before_s)
    while await take_turn(hub.resolution, graph, 0.95, SystemClock(), metrics):
        pass
    saving_s = time.perf_counter()
    rest = wanted[len(alone) :]
    for start in range(0, len(rest), 200):
        await hub.tracks.save(rest[start : start + 200], fences)
    saving_s = time.perf_counter() - saving_s
    before_cpu_s, before_server_s = cpu_s(), server_cpu_s()
    before_s, done, turns_s = time.perf_counter(), 0, []
    while busy := await take_turn(hub.resolution, graph, 0.95, SystemClock(), metrics):
        done += busy
        turns_s.append(time.perf_counter() - before_s - sum(turns_s))
    spent_s, own_s, server_s = time.perf_counter() - before_s, cpu_s(), server_cpu_s()
    assert done >= len(rest)  # more where one that found a name had its identity looked at again
    quantiles = statistics.quantiles(times_s, n=100)
    return {
        "tracks_a_second": round(done / spent_s, 1),
        "longest_turn_ms": round(1000 * max(turns_s), 1),
        "decision_p50_ms": round(1000 * quantiles[49], 2),
        "decision_p99_ms": round(1000 * quantiles[98], 2),
        "resolver_cpu_ms_a_track": round(1000 * (own_s - before_cpu_s) / done, 2),
        "server_cpu_ms_a_track": round(1000 * (server_s - before_server_s) / done, 2),
        "rows_saved_a_second": round(len(rest) / saving_s),
        "named": await named(hub, wanted),
    }


def server_cpu_s() -> float:
    """Return user+sys CPU seconds so far of the database's processes, which this one has started."""
    ours = [one for one in family(os.getpid())[1:] if one.name() == "postgres"]
    return cpu_of(*({one.pid for one in ours} - {child.pid for one in ours for child in one.children()}))


async def named(hub: Hub, tracks: Sequence[LocalTrack]) -> int:
    rows = [await hub.tracks.get(track.local_track_id) for track in tracks]
    return sum(row.person_id is not None for row in rows)


if __name__ == "__main__":
    sys.exit(main())
