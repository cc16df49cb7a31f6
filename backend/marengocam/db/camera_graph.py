"""The camera graph: what the journeys of the last days taught about transit times and overlapping views."""

from datetime import datetime, timedelta

from marengocam.core.identity import CameraGraph, Covisibility, Transit
from marengocam.db.database import Connection
from marengocam.db.queries import load, rows

GRAPH_REACH = timedelta(days=14)
GRAPH_TRACKS = 5000
COVISIBILITY_TRACKS = 1500
GRAPH_RECOGNITION = 4.0  # log ratio of face, name and appearance that vouches for a journey
LONGEST_TRANSIT_S = 1800.0
LEAST_TRANSIT_S = 0.5
CLOCKS_APART_S = 1.5

_QUERIES = load("camera_graph")


async def read_graph(connection: Connection, now: datetime) -> CameraGraph:
    """Return the graph as it is now."""
    since = now - GRAPH_REACH
    transits = await rows(
        _QUERIES.transits(
            connection,
            from_at=since,
            recognition=GRAPH_RECOGNITION,
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
    return CameraGraph(
        transits={
            (row["from_camera"], row["to_camera"]): Transit(
                row["count"], float(row["mean_log_s"]), float(row["deviation_log_s"])
            )
            for row in transits
        },
        covisible={(row["here"], row["there"]): Covisibility(row["together"], row["chances"]) for row in covisible},
    )
