"""The demo's report: what was recorded, followed, recognised and told, read back from outside."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import av

from marengocam.demo.backend import Backend, DemoError

TRACK_PAGE = 200
EVENT_PAGE = 500


@dataclass(slots=True)
class Observations:
    """What the demo itself saw while it ran."""

    home_events: list[dict[str, Any]] = field(default_factory=list)
    automations: int = 0
    delays_s: list[float] = field(default_factory=list)  # first sight on camera to Home Assistant's event
    enrolled: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def decoded_frames(file: Path) -> int:
    """Return how many frames of a video file decode; raises DemoError when any does not."""
    count = 0
    try:
        with av.open(str(file)) as container:
            for packet in container.demux(container.streams.video[0]):
                count += len(packet.decode())
    except av.FFmpegError as error:
        raise DemoError(f"{file.name} does not decode after {count} frames: {error.strerror}") from None
    return count


def check_recordings(media: Path) -> dict[str, dict[str, Any]]:
    """Return per camera: finished chunks, how many decode wholly, recorded seconds."""
    cameras: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"chunks": 0, "decoded": 0, "frames": 0, "recorded_s": 0.0}
    )
    for file in sorted((media / "recordings").glob("*/*/*/*.mp4")):
        camera = cameras[file.relative_to(media / "recordings").parts[0]]
        camera["chunks"] += 1
        try:
            frames = decoded_frames(file)
        except DemoError as error:
            camera.setdefault("errors", []).append(str(error))
            continue
        camera["decoded"] += frames > 0
        camera["frames"] += frames
        with av.open(str(file)) as container:
            camera["recorded_s"] = round(camera["recorded_s"] + (container.duration or 0) / av.time_base, 2)
    return dict(cameras)


def confirmed_names(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return who was recognised, in order; whoever was erased since has no name."""
    names = {event["person_name"] for event in events if event["type"] == "person_confirmed"}
    return sorted(name for name in names if name is not None)


async def build_report(backend: Backend, media: Path, seen: Observations, world_title: str) -> dict[str, Any]:
    """Return the whole report as JSON values; `backend` must still run."""
    info = await backend.call("GET", "/info")
    tracks = await _tracks(backend)
    events = await _events(backend)
    by_type: dict[str, int] = defaultdict(int)
    for event in events:
        by_type[event["type"]] += 1
    identities = {track["identity_id"] for track in tracks if track.get("identity_id")}
    return {
        "world": world_title,
        "models": info["models"],
        "cameras": [
            {key: camera[key] for key in ("camera_id", "name", "state", "reason", "metrics")}
            for camera in (await backend.call("GET", "/cameras"))["cameras"]
        ],
        "recordings": check_recordings(media),
        "local_tracks": len(tracks),
        "local_tracks_of_persons": sum(track["label"] == "person" for track in tracks),
        "identities": len(identities),
        "confirmed_persons": confirmed_names(events),
        "enrolled": seen.enrolled,
        "named": seen.named,
        "events": dict(by_type),
        "home_assistant": {
            "events": _count(seen.home_events),
            "automation_runs": seen.automations,
            "first_sight_to_event_s": [round(delay, 2) for delay in seen.delays_s],
        },
        "notes": seen.notes,
    }


def delay_s(first_seen_at: str, fired_at: str) -> float:
    """Return seconds between two RFC 3339 times."""
    return (datetime.fromisoformat(fired_at) - datetime.fromisoformat(first_seen_at)).total_seconds()


def _count(home_events: list[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for event in home_events:
        counts[event["event_type"]] += 1
    return dict(counts)


async def _tracks(backend: Backend) -> list[dict[str, Any]]:
    tracks: list[dict[str, Any]] = []
    query = f"/tracks?limit={TRACK_PAGE}"
    page = await backend.call("GET", query)
    while page["tracks"]:
        tracks += page["tracks"]
        if not page.get("next"):
            break
        page = await backend.call("GET", f"{query}&before={page['next']}")
    return tracks


async def _events(backend: Backend) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["number"] if events else 0
        page = (await backend.call("GET", f"/events?after={after}&limit={EVENT_PAGE}"))["events"]
        if not page:
            return events
        events += page
