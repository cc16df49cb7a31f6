"""What the resolver reads and writes: one turn is one transaction over a few changed tracks."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marengocam.core.geometry import Box
from marengocam.core.identity import (
    Assignment,
    CameraGraph,
    Covisibility,
    ExemplarWrite,
    KnownPerson,
    Likeness,
    Outcome,
    Sight,
    Surroundings,
    Transit,
)
from marengocam.core.model import Embedding, Event, LocalTrack, NewEvent, PathPoint
from marengocam.db.database import Connection, Database
from marengocam.db.events import Events
from marengocam.db.queries import load, rows, to_json, vector_text
from marengocam.db.tracks import track_of

TURN_KEY = 0x6D63_7265_736F  # advisory lock "mcreso": resolvers, and whoever writes a human's word, take turns
SIGHTS_LIMIT = 400  # candidates come from so many of the newest tracks
PATH_REACH_S = 15.0  # paths of the same camera are looked at this far around a track
STRANGERS_LIMIT = 8
STRANGERS_SEARCHED = 1000  # newest faces of unknowns; each costs about 7 microseconds
STRANGER_REACH = timedelta(days=90)
BEST_LIKENESSES = 5  # of an individual
WAKE_REACH = timedelta(seconds=60)
CONFIRMED_FACES_LIMIT = 20
OBSERVED_LIMIT = 5
GRAPH_REACH = timedelta(days=14)
GRAPH_TRACKS = 5000
COVISIBILITY_TRACKS = 1500
GRAPH_RECOGNITION = 4.0  # log ratio of face, name and appearance that vouches for a journey
LONGEST_TRANSIT_S = 1800.0
LEAST_TRANSIT_S = 0.5
CLOCKS_APART_S = 1.5

_QUERIES = load("resolution")


class Turn:
    """One resolver's turn: the tracks it claimed, what surrounds them, and where its decisions go."""

    def __init__(self, connection: Connection, events: Events, tracks: Sequence[tuple[LocalTrack, int]]) -> None:
        self._connection = connection
        self._events = events
        self._persons: tuple[KnownPerson, ...] | None = None
        self._denied: frozenset[tuple[UUID, UUID]] | None = None
        self._ignored: frozenset[UUID] | None = None
        self.tracks = tracks

    async def assignment_of(self, local_track_id: UUID) -> Assignment | None:
        """Return what was decided about a track before, this turn's decisions included."""
        row = await _QUERIES.assignment_of(self._connection, local_track_id=local_track_id)
        return Assignment(**row) if row else None

    async def surroundings(self, track: LocalTrack, window: timedelta) -> Surroundings:
        """Return all that a decision on `track` may rest on: sights up to `window` away, galleries, persons."""
        sights = await self._sights(track, window)
        persons = await self._known_persons()
        identity_ids = {sight.identity_id for sight in sights}
        likenesses: list[Likeness] = []
        if track.face is not None:
            identity_ids |= await self._strangers(track.local_track_id, track.face, track.last_seen_at)
            likenesses += await self._likenesses(track.local_track_id, "face", track.face, identity_ids)
        if track.appearance is not None:
            seen_of_late = {sight.identity_id for sight in sights}
            likenesses += await self._likenesses(track.local_track_id, "appearance", track.appearance, seen_of_late)
        return Surroundings(sights, tuple(likenesses), persons, await self._denials(), await self._ignored_ones())

    async def write(self, outcome: Outcome, at: datetime) -> list[Event]:
        """Write one decision with its events; return the events that were new."""
        track = outcome.claimed.track
        if outcome.identity_id is not None:
            await self._write_identity(outcome, outcome.identity_id, at)
        else:
            await _QUERIES.resolved(
                self._connection, local_track_id=track.local_track_id, revision=outcome.claimed.revision
            )
        return await self._number(outcome.events)

    async def _write_identity(self, outcome: Outcome, identity_id: UUID, at: datetime) -> None:
        track, before = outcome.claimed.track, outcome.claimed.assignment
        said = {
            "local_track_id": track.local_track_id,
            "announced_person_id": outcome.announced_person_id,
            "announced_unknown": outcome.announced_unknown,
        }
        exemplars = [await self._with_room(one) for one in outcome.exemplars]
        await _QUERIES.write_decision(
            self._connection,
            identity_id=identity_id,
            person_id=outcome.person_id,
            first_seen_at=track.first_seen_at,
            last_seen_at=track.last_seen_at,
            probability=outcome.probability,
            margin=outcome.margin,
            evidence=to_json(outcome.evidence),
            revision=outcome.claimed.revision,
            at=at,
            **said,
            **_exemplar_columns(exemplars),
        )
        if before is not None and before.decided_by == "human":
            await _QUERIES.note_announced(self._connection, **said)
        if outcome.left_identity_id is not None:
            await _QUERIES.leave_identity(
                self._connection, left_identity_id=outcome.left_identity_id, identity_id=identity_id
            )
        if before is None or before.identity_id != identity_id:
            await _QUERIES.trim_exemplars(self._connection, identity_id=identity_id, most=OBSERVED_LIMIT)
        if outcome.wake_identity:
            await _QUERIES.wake_identity(
                self._connection,
                identity_id=identity_id,
                local_track_id=track.local_track_id,
                from_at=track.last_seen_at - WAKE_REACH,
            )

    async def _number(self, events: Sequence[NewEvent]) -> list[Event]:
        if not events:
            return []
        ids = [event.event_id for event in events]
        known = {row["event_id"] for row in await rows(_QUERIES.known_events(self._connection, event_ids=ids))}
        fresh = [event for event in events if event.event_id not in known]
        return await self._events.append(fresh, connection=self._connection) if fresh else []

    async def _with_room(self, one: ExemplarWrite) -> ExemplarWrite:
        """Return an exemplar that is to last as a passing one when the person's gallery is full."""
        if one.person_id is None:
            return one
        kept = await _QUERIES.confirmed_faces(
            self._connection, person_id=one.person_id, model=one.embedding.model, exemplar_id=one.exemplar_id
        )
        return one if int(kept) < CONFIRMED_FACES_LIMIT else replace(one, person_id=None, source="observed")

    async def _known_persons(self) -> tuple[KnownPerson, ...]:
        if self._persons is None:
            found = await rows(_QUERIES.persons(self._connection))
            self._persons = tuple(KnownPerson(row["person_id"], row["name"]) for row in found)
        return self._persons

    async def _denials(self) -> frozenset[tuple[UUID, UUID]]:
        if self._denied is None:
            found = await rows(_QUERIES.denials(self._connection))
            self._denied = frozenset((row["identity_id"], row["person_id"]) for row in found)
        return self._denied

    async def _ignored_ones(self) -> frozenset[UUID]:
        if self._ignored is None:
            self._ignored = frozenset(row["subject_id"] for row in await rows(_QUERIES.ignored(self._connection)))
        return self._ignored

    async def _sights(self, track: LocalTrack, window: timedelta) -> tuple[Sight, ...]:
        reach = timedelta(seconds=PATH_REACH_S)
        found = await rows(
            _QUERIES.sights(
                self._connection,
                local_track_id=track.local_track_id,
                camera_id=track.camera_id,
                from_at=track.first_seen_at - window,
                to_at=track.last_seen_at + window,
                path_from=track.first_seen_at - reach,
                path_to=track.last_seen_at + reach,
                most=SIGHTS_LIMIT,
            )
        )
        return tuple(Sight(**(dict(row) | {"path": _path(row["path"])})) for row in found)

    async def _strangers(self, local_track_id: UUID, face: Embedding, at: datetime) -> set[UUID]:
        found = await rows(
            _QUERIES.strangers(
                self._connection,
                local_track_id=local_track_id,
                model=face.model,
                embedding=vector_text(face.vector),
                dimensions=len(face.vector),
                from_at=at - STRANGER_REACH,
                searched=STRANGERS_SEARCHED,
                most=STRANGERS_LIMIT,
            )
        )
        return {row["identity_id"] for row in found}

    async def _likenesses(
        self, local_track_id: UUID, kind: str, embedding: Embedding, identity_ids: set[UUID]
    ) -> list[Likeness]:
        found = await rows(
            _QUERIES.likenesses(
                self._connection,
                local_track_id=local_track_id,
                kind=kind,
                model=embedding.model,
                embedding=vector_text(embedding.vector),
                dimensions=len(embedding.vector),
                identity_ids=sorted(identity_ids),
                best=BEST_LIKENESSES,
            )
        )
        return [
            Likeness(
                kind=kind,
                model=row["model"],
                cosine=row["cosine"],
                quality=row["quality"],
                at=row["created_at"],
                person_id=row["person_id"],
                identity_id=row["identity_id"],
                trust=row["trust"],
            )
            for row in found
        ]


class Resolution:
    """`hub.resolution`: turns, the backlog, and what past journeys taught."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    @asynccontextmanager
    async def claim(self, limit: int) -> AsyncIterator[Turn]:
        """Open a turn over at most `limit` changed live tracks, those still followed first.

        One transaction: it commits when the block ends, or leaves everything as it was when the block raises.
        Turns of several resolvers follow one another. Raises HubUnavailableError.
        """
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            claimed = await rows(_QUERIES.claim_open(connection, batch=limit))
            if len(claimed) < limit:
                claimed += await rows(_QUERIES.claim_closed(connection, batch=limit - len(claimed)))
            yield Turn(connection, self._events, [(track_of(row), row["revision"]) for row in claimed])

    async def backlog(self) -> int:
        """Return how many live tracks wait for a decision."""
        async with self._database.connection() as connection:
            return int(await _QUERIES.backlog(connection))

    async def camera_graph(self, now: datetime) -> CameraGraph:
        """Return what the journeys of the last days taught about transit times and overlapping views."""
        since = now - GRAPH_REACH
        async with self._database.connection() as connection:
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


def _exemplar_columns(exemplars: Sequence[ExemplarWrite]) -> dict[str, list[Any]]:
    return {
        "exemplar_ids": [one.exemplar_id for one in exemplars],
        "exemplar_persons": [one.person_id for one in exemplars],
        "kinds": [one.kind for one in exemplars],
        "models": [one.embedding.model for one in exemplars],
        "vectors": [vector_text(one.embedding.vector) for one in exemplars],
        "qualities": [one.embedding.quality for one in exemplars],
        "sources": [one.source for one in exemplars],
        "picture_paths": [str(one.picture_path) if one.picture_path else None for one in exemplars],
    }


def _path(text: str | None) -> tuple[PathPoint, ...]:
    return tuple(
        PathPoint(datetime.fromisoformat(point["at"]), Box(*point["box"]), float(point["score"]))
        for point in json.loads(text or "[]")
    )
