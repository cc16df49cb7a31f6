"""A camera before which much happens: strangers by the thousand, and somebody with a name among them."""

from datetime import timedelta

from marengocam.core.ids import new_id

LASTS = timedelta(seconds=2)
TRACKS = """
INSERT INTO local_track (local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score, observations)
SELECT gen_random_uuid(), $1, $2, false, at, at + $3::interval, 0.9, 9
FROM (SELECT $4::timestamptz + n * $5::interval AS at FROM generate_series(0, $6::int - 1) AS n) AS times
"""


async def passers_by(hub, camera_id, from_at, count, *, every, lasts=LASTS, label="person"):
    """Write so many tracks of nobody known, one after another."""
    async with hub.database.connection() as connection:
        await connection.execute(TRACKS, camera_id, label, lasts, from_at, every, count)


async def known_visitor(hub, camera_id, at, name):
    """Write one track of a named person, who comes into being with the first."""
    person_id = (await hub.persons.called(name, at)).person_id
    track_id, identity_id = new_id(at), new_id(at)
    async with hub.database.connection() as connection:
        await connection.execute(
            "INSERT INTO local_track (local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score,"
            " observations) VALUES ($1, $2, 'person', false, $3, $4, 0.9, 9)",
            track_id, camera_id, at, at + LASTS,
        )  # fmt: skip
        await connection.execute("INSERT INTO identity VALUES ($1, $2, $3, $3, $3)", identity_id, person_id, at)
        await connection.execute(
            "INSERT INTO assignment VALUES ($1, $2, 0.99, 5.0, '{}', 'resolver', $3)", track_id, identity_id, at
        )
