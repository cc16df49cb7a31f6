"""A media disk that hangs, as a network share does whose server went, holds no client and not the whole API."""

import os
import threading

import pytest
from tests.support.web_app import serving_api

from marengocam.core.model import Camera
from marengocam.media.store import Store, live_path
from marengocam.web import table

HANG_S = 60.0


@pytest.fixture
def released():
    event = threading.Event()
    yield event
    event.set()


async def test_health_is_told_without_the_disks_size_and_again_with_it(hub, hub_settings, monkeypatch, released):
    monkeypatch.setattr(table, "DISK_LIMIT_S", 0.2)
    real = os.statvfs

    def hangs(folder):
        assert threading.current_thread() is not threading.main_thread(), "the event loop would stand still"
        released.wait(HANG_S)
        return real(folder)

    monkeypatch.setattr(os, "statvfs", hangs)
    async with serving_api(hub, hub_settings) as api:
        for _ in range(2):
            status, health = await api.call("GET", "/health")
            assert (status, health.get("storage")) == (200, None)
        released.set()
        while (health := (await api.call("GET", "/health"))[1]).get("storage") is None:
            pass
        assert health["storage"]["total_bytes"] > 0


async def test_a_picture_on_it_is_refused_with_a_sentence(hub, hub_settings, monkeypatch, released):
    monkeypatch.setattr(table, "DISK_LIMIT_S", 0.2)
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    Store(hub_settings.media_dir).write_picture(live_path("front"), b"a picture")
    real = Store.resolve

    def hangs(store, path):
        assert threading.current_thread() is not threading.main_thread(), "the event loop would stand still"
        released.wait(HANG_S)
        return real(store, path)

    monkeypatch.setattr(Store, "resolve", hangs)
    async with serving_api(hub, hub_settings) as api:
        status, answer = await api.call("GET", "/cameras/front/snapshot.jpg")
        assert (status, answer["error"]["code"]) == (503, "store_unavailable")
        assert "does not answer" in answer["error"]["message"]
