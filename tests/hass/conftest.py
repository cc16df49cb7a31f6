"""Fixtures: a backend that speaks the contract, and an entry that is set up with it."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import custom_components  # noqa: F401 - the first import wins, else the test harness's own folder hides ours
import pytest
from contract_server import INSTALLATION, TOKEN, ContractServer
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

PATIENCE_S = 40.0
# How Home Assistant words it, by what is used: a way of doing, a function or constant, what an entity does.
COMPLAINT = re.compile("Detected|deprecated|will be removed|will stop working")


@pytest.fixture(autouse=True)
def _ours(enable_custom_integrations: None, socket_enabled: None) -> None:
    """Let Home Assistant find our integration, and let it talk to servers of this machine."""


@pytest.fixture(autouse=True)
def _nothing_is_deprecated(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail when Home Assistant complains about how we use it."""
    yield
    said = [record.getMessage() for when in ("setup", "call") for record in caplog.get_records(when)]
    assert [text for text in said if COMPLAINT.search(text) and "marengocam" in text] == []


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    server = ContractServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def entry(hass: HomeAssistant, server: ContractServer) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain="marengocam",
        title="MarengoCam",
        unique_id=INSTALLATION,
        data={"address": server.address, "token": TOKEN},
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, until: "Until"
) -> MockConfigEntry:
    """Return the entry, set up and following the event stream."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.feed.connected)
    await hass.async_block_till_done()
    return entry


Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def until(hass: HomeAssistant) -> Until:
    """Wait until something is true; fail loudly if it does not become so."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.01)
                await hass.async_block_till_done()

    return wait
