"""Replays of recordings on a real hub: the same again, and nothing live is touched."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.ingest_service import environment_of, ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.model import Camera, EventType
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.media.store import RecordingName
from marengocam.replay.eyes import Eyes
from marengocam.replay.pieces import FIRST_MOMENT
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLIP_S = 6.0


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
    return replace(hub_settings, face_url="off", analysis_fps=10.0)


@pytest.fixture
def recorded(settings: Settings) -> Path:
    """Three recordings of camera `front` from noon on; somebody walks in the second."""
    for number, starts in enumerate(([], [1.0], [])):
        name = RecordingName("front", NOON + timedelta(seconds=number * CLIP_S), uuid4())
        file = settings.media_dir / name.path
        file.parent.mkdir(parents=True, exist_ok=True)
        render_walks(file, CLIP_S, starts)
    return settings.media_dir / "recordings" / "front"


def squares(_settings: Settings, _overrides: dict[str, str]) -> Eyes:
    seen = square_eyes()
    return Eyes(seen.detector, seen.appearance, None, {"detector": "bright-squares", "appearance": None, "face": None})


async def everything_live(hub: Hub) -> list[tuple[str, str]]:
    """Return a digest of every live table: counts would miss a changed row."""
    names = ("identity", "assignment", "exemplar", "person", "chunk", "camera_status", "lease", "word", "denial")
    async with hub.database.connection() as connection:
        told = []
        for name in names:
            query = f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM public.{name} t"
            told.append((name, await connection.fetchval(query)))
        live = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM local_track t WHERE run_id IS NULL"
        return [*told, ("live tracks", await connection.fetchval(live))]


async def test_the_same_video_gives_the_same_report_with_times_of_the_media(
    settings: Settings, hub: Hub, recorded: Path
) -> None:
    request = ReplayRequest(f"file://{recorded}", camera_id="front")
    first = await replay_source(settings, request, eyes_of=squares)
    assert first.to_json() == (await replay_source(settings, request, eyes_of=squares)).to_json()
    report = first.report
    assert report["files"] == 3
    assert report["video_s"] == pytest.approx(3 * CLIP_S, abs=0.5)
    assert report["frames"] == 180
    (walk,) = report["tracks"]
    began = datetime.fromisoformat(walk["first_seen_at"]) - NOON - timedelta(seconds=CLIP_S + 1)
    assert timedelta(0) <= began < timedelta(seconds=0.5)
    assert [event["type"] for event in report["events"]] == ["person_detected", "person_unknown"]
    assert first.pictures[walk["picture"]].startswith(b"\xff\xd8")
