"""A media folder, an archive, and a janitor at work on them."""

import asyncio
import contextlib
from dataclasses import replace

import pytest
from tests.support.clips import write_counter_clip
from tests.support.web_app import service_context

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.janitor import service as janitor
from marengocam.janitor import upkeep
from marengocam.janitor.quiet import Disks
from marengocam.janitor.service import JanitorService
from marengocam.media.space import Space
from marengocam.media.store import Store
from marengocam.runtime.bus import Bus


@pytest.fixture
def settings(hub_settings, tmp_path):
    archive = tmp_path / "archive"
    archive.mkdir()
    return replace(hub_settings, archive_dir=archive, archive_after_days=3650)


@pytest.fixture
async def store(hub, settings):
    store = Store(settings.media_dir, settings.archive_dir)
    ours = await hub.settings_store.installation_id()
    for folder in (settings.media_dir, settings.archive_dir):
        Store(folder).prepare(ours)
    return store


@pytest.fixture
def clip(tmp_path):
    return write_counter_clip(tmp_path / "c.mp4", frames=20)


@pytest.fixture
def disks(hub, store):
    disks = Disks(store, hub)
    yield disks
    disks.close()


@pytest.fixture
def at_work(hub, store, monkeypatch):
    """Run the janitor, hurried, while the block runs."""
    monkeypatch.setattr(janitor, "ROUND_S", 0.1)
    monkeypatch.setattr(janitor, "UPKEEP_EVERY_S", 0.2)
    monkeypatch.setattr(janitor, "WATCH_EVERY_S", 0.1)
    monkeypatch.setattr(upkeep, "BATCH_PAUSE_S", 0.0)

    @contextlib.asynccontextmanager
    async def running(settings, *, full=False):
        # How full this machine's disk happens to be decides nothing here.
        monkeypatch.setattr(Store, "space", lambda _: Space(100 << 30, (9 if full else 80) << 30))
        async with Bus(hub).running() as bus:
            context = service_context(hub, settings, bus, "janitor")
            service = JanitorService()
            job = asyncio.create_task(service.run(context))
            try:
                yield service
            finally:
                context.stopping.set()
                await job

    return running


@pytest.fixture
def broken(hub, store):
    """Return what is broken, by invariant."""

    async def look():
        findings = await findings_of(hub, store, SystemClock(), deep=True)
        return {finding.name: finding.problems for finding in findings if finding.problems}

    return look
