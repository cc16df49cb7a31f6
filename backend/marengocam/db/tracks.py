"""LocalTracks as ingest writes them and everybody reads them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import LeaseLostError, NotFoundError
from marengocam.core.geometry import Box
from marengocam.core.model import LocalTrack, NameEvidence, PathPoint
from marengocam.db.database import Connection, Database
from marengocam.db.queries import embedding_from, from_json, load, rows, to_json, vector_text

CHANNEL = "local_track"
_QUERIES = load("tracks")


@dataclass(frozen=True, slots=True)
class TrackRow:
    """A LocalTrack with what the resolver thinks of it; lists leave out path, embeddings and evidence."""

    track: LocalTrack
    identity_id: UUID | None
    person_id: UUID | None
    person_name: str | None
    probability: float | None
    decided_by: str | None
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TrackFilter:
    """Which tracks are wanted; None takes all. `before` is the last row of the page before: newest first."""

    camera_id: str | None = None
    person_id: UUID | None = None
    identity_id: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    run_id: UUID | None = None
    before: tuple[datetime, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Sightings:
    """Tracks of one camera that began near one another; `label` None: of several kinds."""

    from_at: datetime
    to_at: datetime
    count: int
    named: bool
    person_names: tuple[str, ...]
    label: str | None


@dataclass(frozen=True, slots=True)
class PrunedTracks:
    """How many tracks went, and the pictures that go with them."""

    count: int
    pictures: tuple[PurePosixPath, ...] = field(default_factory=tuple)


class Tracks:
    """`hub.tracks`: saving notifies the channel `local_track`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, tracks: Sequence[LocalTrack], fences: Mapping[str, int]) -> None:
        """Write the latest state of tracks in one transaction.

        `fences` gives the fence of each live track's camera lease; raises LeaseLostError when one is not the present
        one, and then writes nothing. Tracks of a replay run need no fence.
        """
        if not tracks:
            return
        async with self._database.transaction() as connection:
            await _check_fences(connection, {track.camera_id for track in tracks if track.run_id is None}, fences)
            await save_rows(connection, tracks)
            if any(track.run_id is None for track in tracks):
                await _QUERIES.notify(connection, channel=CHANNEL, payload=str(tracks[0].local_track_id))

    async def get(self, local_track_id: UUID) -> TrackRow:
        """Return one track with everything; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.get_track(connection, local_track_id=local_track_id)
        if row is None:
            raise NotFoundError("There is no such track; it may have been deleted by retention.")
        return _track_row(row)

    async def sightings(self, camera_id: str, from_at: datetime, to_at: datetime, slot: timedelta) -> list[Sightings]:
        """Return all that a camera saw in a span, oldest first: what began in one slot as one, named persons apart."""
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.sightings(connection, camera_id=camera_id, from_at=from_at, to_at=to_at, slot=slot)
            )
        return [
            Sightings(
                from_at=row["from_at"],
                to_at=row["to_at"],
                count=row["count"],
                named=row["named"],
                person_names=tuple(row["person_names"]),
                label=row["label"],
            )
            for row in found
        ]

    async def list(self, wanted: TrackFilter, limit: int) -> list[TrackRow]:
        """Return tracks, newest first."""
        before_at, before_id = wanted.before or (None, None)
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.list_tracks(
                    connection,
                    camera_id=wanted.camera_id,
                    person_id=wanted.person_id,
                    identity_id=wanted.identity_id,
                    from_at=wanted.from_at,
                    to_at=wanted.to_at,
                    run_id=wanted.run_id,
                    before_at=before_at,
                    before_id=before_id,
                    most=limit,
                )
            )
        return [_track_row(row) for row in found]

    async def close_abandoned(self, camera_id: str, fence: int) -> int:
        """End tracks that a former holder of the camera's lease left open; return how many."""
        async with self._database.transaction() as connection:
            await _check_fences(connection, {camera_id}, {camera_id: fence})
            closed = int(await _QUERIES.close_abandoned(connection, camera_id=camera_id))
            if closed:
                await _QUERIES.notify(connection, channel=CHANNEL, payload=camera_id)
        return closed

    async def look_again(self, from_at: datetime) -> int:
        """Have the resolver decide once more on people seen since a moment, as after an enrolment."""
        async with self._database.transaction() as connection:
            touched = int(await _QUERIES.touch_recent(connection, from_at=from_at))
            await _QUERIES.notify(connection, channel=CHANNEL, payload="")
        return touched

    async def prune(self, before: datetime, limit: int) -> PrunedTracks:
        """Delete tracks that ended before a moment; return the pictures that nothing refers to any more."""
        async with self._database.transaction() as connection:
            gone = await rows(_QUERIES.prune(connection, before=before, most=limit))
            pictures = {
                path for row in gone for path in (row["crop_path"], row["face_crop_path"], *row["crop_paths"]) if path
            }
            kept = await rows(_QUERIES.picture_paths(connection, paths=sorted(pictures)))
        left = pictures - {row["path"] for row in kept}
        return PrunedTracks(len(gone), tuple(PurePosixPath(path) for path in sorted(left)))

    async def known_pictures(self, paths: Sequence[str]) -> set[str]:
        """Return those of `paths` that tracks, persons or galleries refer to."""
        async with self._database.connection() as connection:
            return {row["path"] for row in await rows(_QUERIES.picture_paths(connection, paths=list(paths)))}


async def save_rows(connection: Connection, tracks: Sequence[LocalTrack]) -> None:
    """Write the latest state of tracks on a connection; writers lock rows in one order."""
    in_order = sorted(tracks, key=lambda track: track.local_track_id)
    await _QUERIES.save_tracks(connection, (_columns(track) for track in in_order))


async def _check_fences(connection: Connection, camera_ids: set[str], fences: Mapping[str, int]) -> None:
    if not camera_ids:
        return
    names = [f"camera:{camera_id}" for camera_id in sorted(camera_ids)]
    present = {row["name"]: row["fence"] for row in await rows(_QUERIES.fences(connection, names=names))}
    for camera_id in camera_ids:
        if present.get(f"camera:{camera_id}") != fences.get(camera_id, 0):
            raise LeaseLostError(f"Another process serves camera {camera_id!r} now; nothing was written for it.")


def _columns(track: LocalTrack) -> dict[str, Any]:
    name = track.name_evidence
    return {
        "local_track_id": track.local_track_id,
        "camera_id": track.camera_id,
        "run_id": track.run_id,
        "label": track.label,
        "open": track.open,
        "first_seen_at": track.first_seen_at,
        "last_seen_at": track.last_seen_at,
        "score": track.score,
        "observations": track.observations,
        "path": to_json([_point_json(point) for point in track.path]),
        "zones": list(track.zones),
        "crop_path": str(track.crop_path) if track.crop_path else None,
        "crop_paths": [str(path) for path in track.crop_paths],
        "face_crop_path": str(track.face_crop_path) if track.face_crop_path else None,
        "face": vector_text(track.face.vector) if track.face else None,
        "face_model": track.face.model if track.face else None,
        "face_quality": track.face.quality if track.face else None,
        "appearance": vector_text(track.appearance.vector) if track.appearance else None,
        "appearance_model": track.appearance.model if track.appearance else None,
        "appearance_quality": track.appearance.quality if track.appearance else None,
        "name_evidence": to_json({"engine": name.engine, "name": name.name, "score": name.score}) if name else None,
        "face_engine_ok": track.face_engine_ok,
    }


def _point_json(point: PathPoint) -> dict[str, Any]:
    box = [round(value, 4) for value in (point.box.x1, point.box.y1, point.box.x2, point.box.y2)]
    return {"at": point.at.isoformat(), "box": box, "score": round(point.score, 3)}


def _track_row(row: Any) -> TrackRow:
    return TrackRow(
        track=track_of(row),
        identity_id=row["identity_id"],
        person_id=row["person_id"],
        person_name=row["person_name"],
        probability=row["probability"],
        decided_by=row["decided_by"],
        evidence=from_json(row.get("evidence")),
    )


def track_of(row: Any) -> LocalTrack:
    """Return the LocalTrack of a row; columns that a query left out count as empty."""
    return LocalTrack(
        local_track_id=row["local_track_id"],
        camera_id=row["camera_id"],
        label=row["label"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        open=row["open"],
        score=row["score"],
        observations=row["observations"],
        path=tuple(
            PathPoint(datetime.fromisoformat(point["at"]), Box(*point["box"]), float(point["score"]))
            for point in from_json(row.get("path")) or ()
        ),
        zones=tuple(row["zones"]),
        crop_path=PurePosixPath(row["crop_path"]) if row["crop_path"] else None,
        crop_paths=tuple(PurePosixPath(path) for path in row.get("crop_paths") or ()),
        face_crop_path=PurePosixPath(row["face_crop_path"]) if row["face_crop_path"] else None,
        face=embedding_from(row.get("face_model"), row.get("face"), row.get("face_quality")),
        appearance=embedding_from(row.get("appearance_model"), row.get("appearance"), row.get("appearance_quality")),
        name_evidence=name_evidence_of(row.get("name_evidence")),
        face_engine_ok=row["face_engine_ok"],
        run_id=row.get("run_id"),
    )


def name_evidence_of(text: str | None) -> NameEvidence | None:
    """Return what an engine called a track, from the row's JSON."""
    name = json.loads(text) if text else None
    return NameEvidence(name["engine"], name["name"], float(name["score"])) if name else None
