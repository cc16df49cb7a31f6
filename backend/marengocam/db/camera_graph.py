"""`hub.camera_graph`: transit times and overlapping views, as journeys of the last days taught and owners say."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import exp, log
from typing import Any

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.identity import CameraGraph, CameraWay, Covisibility, Transit
from marengocam.db.database import Connection, Database
from marengocam.db.queries import load, rows

GRAPH_REACH = timedelta(days=14)
GRAPH_TRACKS = 5000
COVISIBILITY_TRACKS = 1500
GRAPH_RECOGNITION = 4.0  # log ratio of face, name and appearance that vouches for who is in a view
GRAPH_DOUBT = log(5)  # log odds against a journey that recognition has to outweigh: some others may be about
LONGEST_TRANSIT_S = 1800.0
LEAST_TRANSIT_S = 0.5
CLOCKS_APART_S = 1.5
TOLD_JOURNEYS = 10  # that an owner's word counts for
TOLD_DEVIATION = 0.5  # of the logarithm: from six tenths to one and two thirds of the time given
KEEP = object()  # what was said before stays

Pair = tuple[str, str]
_QUERIES = load("camera_graph")


class CameraGraphStore:
    """`hub.camera_graph`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, now: datetime) -> CameraGraph:
        """Return the graph in force: what an owner said holds over what was learned."""
        async with self._database.connection() as connection:
            return await read_graph(connection, now)

    async def ways(self, now: datetime) -> list[CameraWay]:
        """Return all that is known about each pair of cameras of which anything is, in order of their names."""
        async with self._database.connection() as connection:
            learned = await _learned(connection, now)
            told = await _told(connection)
        pairs = sorted(learned.transits.keys() | learned.covisible.keys() | told.keys())
        return [_way(pair, learned, told) for pair in pairs]

    async def tell(
        self, from_camera: str, to_camera: str, *, transit_s: float | object | None = KEEP, overlaps: Any = KEEP
    ) -> None:
        """Say how long the way usually takes, and whether the views overlap (in both directions); None: as learned.

        Raises NotFoundError for a camera that is not there, BadInputError for one and the same, or a time out of range.
        """
        if from_camera == to_camera:
            raise BadInputError("A way leads from one camera to another: give two.")
        if isinstance(transit_s, int | float) and not LEAST_TRANSIT_S <= transit_s <= LONGEST_TRANSIT_S:
            raise BadInputError(f"The time must be from {LEAST_TRANSIT_S} to {LONGEST_TRANSIT_S:.0f} seconds.")
        async with self._database.transaction() as connection:
            known = {row["camera_id"] for row in await rows(_QUERIES.cameras(connection))}
            for camera in (from_camera, to_camera):
                if camera not in known:
                    raise NotFoundError(f"There is no camera {camera!r}.")
            await _say(connection, (from_camera, to_camera), transit_s, overlaps)
            if overlaps is not KEEP:
                await _say(connection, (to_camera, from_camera), KEEP, overlaps)


async def read_graph(connection: Connection, now: datetime) -> CameraGraph:
    """Return the graph in force."""
    learned, told = await _learned(connection, now), await _told(connection)
    times = {pair: said[0] for pair, said in told.items() if said[0] is not None}
    return CameraGraph(
        transits={
            **learned.transits,
            **{pair: Transit(TOLD_JOURNEYS, log(s), TOLD_DEVIATION, told=True) for pair, s in times.items()},
        },
        covisible=learned.covisible,
        moves=learned.moves,
        moves_from=learned.moves_from,
        tracks=learned.tracks,
        overlaps={pair: said[1] for pair, said in told.items() if said[1] is not None},
    )


async def _say(connection: Connection, pair: Pair, transit_s: Any, overlaps: Any) -> None:
    """Change what was said about one way; where nothing is left of it, the way is as learned."""
    ends = {"from_camera": pair[0], "to_camera": pair[1]}
    before = await _QUERIES.told_way(connection, **ends) or {"transit_s": None, "overlap": None}
    after = {
        "transit_s": before["transit_s"] if transit_s is KEEP else transit_s,
        "overlap": before["overlap"] if overlaps is KEEP else overlaps,
    }
    if after == {"transit_s": None, "overlap": None}:
        await _QUERIES.forget_way(connection, **ends)
    else:
        await _QUERIES.tell_way(connection, **ends, **after)


async def _told(connection: Connection) -> Mapping[Pair, tuple[float | None, bool | None]]:
    return {
        (row["from_camera"], row["to_camera"]): (row["transit_s"], row["overlap"])
        for row in await rows(_QUERIES.told(connection))
    }


async def _learned(connection: Connection, now: datetime) -> CameraGraph:
    since = now - GRAPH_REACH
    transits = await rows(
        _QUERIES.transits(
            connection,
            from_at=since,
            doubt=GRAPH_DOUBT,
            most=GRAPH_TRACKS,
            least_s=LEAST_TRANSIT_S,
            longest_s=LONGEST_TRANSIT_S,
        )
    )
    covisible = await rows(
        _QUERIES.covisibility(
            connection,
            from_at=since,
            recognition=GRAPH_RECOGNITION,
            most=COVISIBILITY_TRACKS,
            apart_s=CLOCKS_APART_S,
        )
    )
    tracks = await rows(_QUERIES.tracks_by_camera(connection, from_at=since, most=GRAPH_TRACKS))
    moves_from: dict[str, float] = defaultdict(float)
    for row in transits:
        moves_from[row["from_camera"]] += float(row["moves"])
    return CameraGraph(
        transits={
            (row["from_camera"], row["to_camera"]): Transit(
                float(row["count"]), float(row["mean_log_s"]), float(row["deviation_log_s"])
            )
            for row in transits
            if row["mean_log_s"] is not None
        },
        moves={(row["from_camera"], row["to_camera"]): float(row["moves"]) for row in transits},
        moves_from=dict(moves_from),
        tracks={row["camera_id"]: row["tracks"] for row in tracks},
        covisible={(row["here"], row["there"]): Covisibility(row["together"], row["chances"]) for row in covisible},
    )


def _way(pair: Pair, learned: CameraGraph, told: Mapping[Pair, tuple[float | None, bool | None]]) -> CameraWay:
    transit, seen = learned.transits.get(pair), learned.covisible.get(pair)
    transit_s, overlaps = told.get(pair, (None, None))
    return CameraWay(
        from_camera=pair[0],
        to_camera=pair[1],
        told_transit_s=transit_s,
        told_overlaps=overlaps,
        journeys=round(transit.count) if transit else 0,
        learned_transit_s=round(exp(transit.mean_log_s), 1) if transit else None,
        together=seen.together if seen else 0,
        chances=seen.chances if seen else 0,
    )
