"""What is compared: live history or a run's report, in one form."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marengocam.core.errors import StoreError
from marengocam.core.geometry import Box
from marengocam.core.model import PathPoint
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter, TrackRow
from marengocam.media.store import Store
from marengocam.replay.folder import RunFolder

LIVE_TRACKS_LIMIT = 5000
TRACK_EVENTS = ("person_detected", "person_confirmed", "person_unknown", "person_corrected", "zone_entered",
                "movement_seen")  # fmt: skip
Picture = Callable[[], bytes | None]


@dataclass(frozen=True, slots=True)
class SideTrack:
    """A track of one side."""

    track_id: str
    label: str
    first_seen_at: datetime
    last_seen_at: datetime
    score: float
    who: str | None  # a name; None: unknown, or no person
    probability: float | None
    path: tuple[PathPoint, ...]
    zones: tuple[str, ...] = ()
    evidence: dict[str, Any] | None = None
    picture: Picture = lambda: None


@dataclass(frozen=True, slots=True)
class SideEvent:
    """An event of one side."""

    type: str
    track_id: str
    occurred_at: datetime
    who: str | None = None
    zone: str | None = None
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """All that one side saw of a camera in a stretch."""

    name: str
    camera_id: str
    from_at: datetime
    to_at: datetime
    tracks: tuple[SideTrack, ...]
    events: tuple[SideEvent, ...] = field(default_factory=tuple)


def of_report(name: str, report: dict[str, Any], pictures: Callable[[str], bytes | None]) -> Side:
    """Return a run's side, from its whole report."""
    return Side(
        name=name,
        camera_id=report["camera_id"],
        from_at=datetime.fromisoformat(report["from_at"]),
        to_at=datetime.fromisoformat(report["to_at"]),
        tracks=tuple(_reported(track, pictures) for track in report["tracks"]),
        events=tuple(
            SideEvent(
                type=event["type"],
                track_id=event["track_id"],
                occurred_at=datetime.fromisoformat(event["occurred_at"]),
                who=event["person_name"],
                zone=event["data"].get("zone"),
                evidence=event["data"].get("evidence"),
            )
            for event in report["events"]
            if event["type"] in TRACK_EVENTS
        ),
    )


def of_run(name: str, folder: RunFolder) -> Side:
    """Return the side of a run that has finished; raises NotFoundError."""
    return of_report(name, folder.report(), folder.picture)


async def of_live(hub: Hub, store: Store, camera_id: str, from_at: datetime, to_at: datetime) -> Side:
    """Return what was seen and told live; raises HubUnavailableError."""
    wanted = TrackFilter(camera_id=camera_id, from_at=from_at, to_at=to_at)
    found = await hub.tracks.list(wanted, LIVE_TRACKS_LIMIT)
    tracks = [_live(await hub.tracks.get(row.track.local_track_id), store) for row in reversed(found)]
    ids = {track.track_id for track in tracks}
    begin = min([from_at, *(track.first_seen_at for track in tracks)])
    end = max([to_at, *(track.last_seen_at for track in tracks)])
    events = [
        SideEvent(
            type=str(event.type),
            track_id=str(event.local_track_id),
            occurred_at=event.occurred_at,
            who=event.person_name,
            zone=event.data.get("zone"),
            evidence=event.data.get("evidence"),
        )
        for event in await hub.replays.live_events(camera_id, begin, end)
        if str(event.local_track_id) in ids and event.type in TRACK_EVENTS
    ]
    return Side("live", camera_id, from_at, to_at, tuple(tracks), tuple(events))


def _reported(track: dict[str, Any], pictures: Callable[[str], bytes | None]) -> SideTrack:
    name = track["picture"]
    return SideTrack(
        track_id=track["track_id"],
        label=track["label"],
        first_seen_at=datetime.fromisoformat(track["first_seen_at"]),
        last_seen_at=datetime.fromisoformat(track["last_seen_at"]),
        score=track["score"],
        who=track["person_name"],
        probability=track["probability"],
        path=tuple(
            PathPoint(datetime.fromisoformat(at), Box(x1, y1, x2, y2), score)
            for at, x1, y1, x2, y2, score in track["path"]
        ),
        zones=tuple(track["zones"]),
        evidence=track["evidence"],
        picture=lambda: pictures(name) if name else None,
    )


def _live(row: TrackRow, store: Store) -> SideTrack:
    track = row.track

    def picture() -> bytes | None:
        if track.crop_path is None:
            return None
        try:
            return store.resolve(track.crop_path).read_bytes()
        except (OSError, StoreError):
            return None

    return SideTrack(
        track_id=str(track.local_track_id),
        label=track.label,
        first_seen_at=track.first_seen_at,
        last_seen_at=track.last_seen_at,
        score=round(track.score, 3),
        who=row.person_name,
        probability=row.probability,
        path=track.path,
        zones=track.zones,
        evidence=row.evidence,
        picture=picture,
    )
