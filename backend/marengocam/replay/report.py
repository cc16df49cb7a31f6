"""A run's report: what was seen, who it was, what would have been written. The same inputs give the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from marengocam.core.model import NewEvent
from marengocam.db.isolation import Decided
from marengocam.replay.findings import Counts, FoundTrack
from marengocam.replay.identity import Who

VERSION = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a report is made of; no wall time, no run's id."""

    camera_id: str
    from_at: datetime
    to_at: datetime
    files: int
    video_s: float
    units: int
    inputs: dict[str, Any]
    counts: Counts
    tracks: Sequence[FoundTrack]
    pictures: frozenset[str]
    who: Who


def report_of(seen: Seen) -> dict[str, Any]:
    """Return the whole report as JSON values."""
    gallery = seen.who.gallery
    return {
        "version": VERSION,
        "camera_id": seen.camera_id,
        "from_at": seen.from_at.isoformat(),
        "to_at": seen.to_at.isoformat(),
        "files": seen.files,
        "video_s": round(seen.video_s, 3),
        "units": seen.units,
        "detector": seen.inputs["models"]["detector"],
        "inputs": seen.inputs,
        "gallery": None
        if gallery is None
        else {
            "persons": gallery.persons,
            "faces": gallery.faces,
            "tracks_around": gallery.tracks_around,
            "digest": gallery.digest,
        },
        "identity_problem": seen.who.problem,
        "frames": seen.counts.frames,
        "frames_analysed": seen.counts.frames_analysed,
        "frames_looked_at": seen.counts.frames_looked_at,
        "detections": seen.counts.detections,
        "faces_looked_at": seen.counts.faces_looked_at,
        "faces_found": seen.counts.faces_found,
        "tracks": [_track(track, seen.who.decided.get(track.track_id), seen.pictures) for track in seen.tracks],
        "events": [_event(event) for event in seen.who.events],
    }


def without_paths(report: dict[str, Any]) -> dict[str, Any]:
    """Return the report as the hub keeps it: paths and evidence stay in the run's folder."""
    left_out = {"path", "evidence"}
    tracks = [{key: value for key, value in track.items() if key not in left_out} for track in report["tracks"]]
    events = [{key: value for key, value in event.items() if key != "data"} for event in report["events"]]
    return report | {"tracks": tracks, "events": events}


def _track(track: FoundTrack, decided: Decided | None, pictures: frozenset[str]) -> dict[str, Any]:
    last = track.last
    name = f"{track.track_id}.jpg"
    face = f"{track.track_id}_face.jpg"
    return {
        "track_id": str(track.track_id),
        "label": track.label,
        "first_seen_at": track.first_seen_at.isoformat(),
        "last_seen_at": last.last_seen_at.isoformat(),
        "score": round(last.score, 3),
        "observations": last.observations,
        "zones": list(last.zones),
        "picture": name if name in pictures else None,
        "face_picture": face if face in pictures and last.face is not None else None,
        "face_looks": track.face_looks,
        "face_quality": None if last.face is None else round(track.looks[last.face].quality, 3),
        "identity_id": _text(decided.identity_id) if decided else None,
        "person_id": _text(decided.person_id) if decided else None,
        "person_name": decided.person_name if decided else None,
        "probability": round(decided.probability, 4) if decided else None,
        "margin": round(decided.margin, 3) if decided else None,
        "evidence": decided.evidence if decided else None,
        "path": [[point.at.isoformat(), *point.box, point.score] for point in track.path],
    }


def _event(event: NewEvent) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "type": str(event.type),
        "occurred_at": event.occurred_at.isoformat(),
        "track_id": _text(event.local_track_id),
        "identity_id": _text(event.identity_id),
        "person_id": _text(event.person_id),
        "person_name": event.person_name,
        "probability": event.probability,
        "zones": list(event.zones),
        "data": event.data,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
