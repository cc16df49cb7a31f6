"""A real Home Assistant is restarted again and again while things happen: each is on its bus once, none is lost."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from tests.hass.real_backend import RealBackend

from marengocam.core.secret import Secret
from marengocam.demo.home.assistant import start_home_assistant
from marengocam.demo.processes import Child

ROOT = Path(__file__).resolve().parents[2]
RESTARTS = int(os.environ.get("MARENGOCAM_RESTARTS", "3"))
SET_UP_LIMIT_S = 420  # of Home Assistant's environment
EVERY_S = 0.25
CATCH_UP_LIMIT_S = 30.0
STOP_LIMIT_S = 60.0
ON_THE_BUS = """
    SELECT event_data.shared_data FROM events
    JOIN event_types USING (event_type_id)
    JOIN event_data USING (data_id)
    WHERE event_types.event_type IN ('marengocam_person_unknown', 'marengocam_late_event')
    ORDER BY event_id
"""
pytestmark = pytest.mark.timeout(SET_UP_LIMIT_S + 60 * (RESTARTS + 1))


@pytest.fixture(scope="module")
def hass() -> Path:
    made = subprocess.run(
        [ROOT / "script/setup-hass", "runtime"], capture_output=True, text=True, timeout=SET_UP_LIMIT_S, check=True
    )
    return Path(made.stdout.strip()) / "bin" / "hass"


@pytest.fixture
def backend() -> Iterator[RealBackend]:
    backend = RealBackend.start()
    yield backend
    backend.stop()


def heard(data: Path) -> list[int]:
    """Return the numbers of our events in the order in which Home Assistant's recorder saw them on the bus."""
    with closing(sqlite3.connect(f"file:{data}/home-assistant/home-assistant_v2.db?mode=ro", uri=True)) as recorded:
        return [json.loads(text)["event_number"] for (text,) in recorded.execute(ON_THE_BUS)]


def kept(data: Path) -> int:
    """Return the number of the last event that the integration says it has dealt with."""
    (store,) = (data / "home-assistant" / ".storage").glob("marengocam.*")
    return int(json.loads(store.read_text())["data"]["last_number"])


async def stop(child: Child) -> None:
    """End it in order, however long that takes: a recorder that is killed has not written its last second."""
    child.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOP_LIMIT_S):
        await child.process.wait()


async def test_every_event_is_on_the_bus_once_whatever_is_restarted(
    hass: Path, backend: RealBackend, short_data_folder: Path
) -> None:
    short_data_folder.chmod(0o755)
    told: list[int] = []
    over = asyncio.Event()

    async def things_happen() -> None:
        while not over.is_set():
            told.append(await asyncio.to_thread(backend.do, "event", type="person_unknown"))
            await asyncio.sleep(EVERY_S)

    async with aiohttp.ClientSession() as session:
        component = ROOT / "custom_components" / "marengocam"
        home = await start_home_assistant(hass, component, short_data_folder, session)
        await home.add_integration(backend.address, Secret(backend.token))
        happening = asyncio.create_task(things_happen())
        try:
            for _ in range(RESTARTS):
                await asyncio.sleep(1.0)
                await stop(home.child)
                home = await start_home_assistant(hass, component, short_data_folder, session)
        finally:
            over.set()
            await happening
        async with asyncio.timeout(CATCH_UP_LIMIT_S):
            while kept(short_data_folder) != told[-1]:
                await asyncio.sleep(0.2)
        await stop(home.child)
    assert len(told) > 10 * RESTARTS
    assert heard(short_data_folder) == told
