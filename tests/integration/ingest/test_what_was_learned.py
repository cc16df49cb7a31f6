"""What a camera has learned outlives restarts, also one in which the machine was back before its database."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.clock import SystemClock
from marengocam.core.geometry import Box
from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest.furniture import PATCH_HEIGHT, PATCH_WIDTH, Furniture, Place
from marengocam.settings import Settings


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


def statue() -> list[dict[str, Any]]:
    now = SystemClock().now()
    patch = np.random.default_rng(1).normal(0, 1, (PATCH_HEIGHT, PATCH_WIDTH)).astype(np.float32)
    place = Place("person", Box(0.0, 0.0, 0.1, 0.2), patch, now - timedelta(days=1), now, 900, 800, best_score=0.5)
    place.learned_at = now - timedelta(hours=20)
    return Furniture([place]).to_json()


async def rename(hub: Hub, table: str, to: str) -> None:
    async with hub.database.connection() as connection:
        await connection.execute(f"ALTER TABLE {table} RENAME TO {to}")


@pytest.mark.parametrize("away", ["camera_memory", "camera"])
async def test_it_is_known_again_once_the_hub_is_back(hub: Hub, settings: Settings, tmp_path: Path, away: str) -> None:
    """Without `camera` a camera is started as it was known last, without `camera_memory` only without its memory."""
    clip = render_walks(tmp_path / "chair.mp4", 8.0, [], chair=True)
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def known() -> bool:
                return (settings.data_dir / "ingest_cameras.json").is_file()

            await until(known)
        await hub.memory.keep_furniture("front", statue())
        await rename(hub, away, "away")
        async with ingest_here(hub, settings) as (service, _):

            async def seen() -> bool:
                return service.health().detail.get("cameras") == {"front": "online"}

            await until(seen)
            await rename(hub, "away", away)

            async def caught_up() -> bool:
                status = (await hub.cameras.statuses()).get("front")
                has_learned = status is not None and status.metrics["frames_analysed"] > 5
                return has_learned and "front" in service._rounds._memories._loaded

            await until(caught_up)
            told = await hub.memory.furniture("front")
            assert [place["learned"] for place in told] == [True], "nothing is overwritten"
    kept = await hub.memory.furniture("front")
    assert [place["learned"] for place in kept if place["box"] == [0.0, 0.0, 0.1, 0.2]] == [True]
    assert len(kept) == 2, "and what it has learned since is kept too"
