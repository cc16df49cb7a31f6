"""The API announces itself where others can reach it, and says goodbye."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from marengocam.web.announcing import SERVICE_TYPE, addresses_of, announced

PATIENCE_S = 40.0
LOOPBACK = "127.0.0.1"


@pytest.mark.parametrize("host", [LOOPBACK, "::1", "localhost", "nas.lan"])
def test_what_only_the_own_machine_reaches_is_not_announced(host):
    assert addresses_of(host) == []


def test_a_single_address_is_announced_alone_and_all_without_loopback():
    assert addresses_of("192.168.1.5") == ["192.168.1.5"]
    assert LOOPBACK not in addresses_of("0.0.0.0")


def test_networks_of_containers_are_not_announced(monkeypatch):
    def adapter(name, address):
        return SimpleNamespace(nice_name=name, ips=[SimpleNamespace(ip=address, is_IPv4=True)])

    adapters = [adapter("docker0", "172.17.0.1"), adapter("eth0", "192.168.1.5"), adapter("br-1f2e", "172.19.0.1")]
    monkeypatch.setattr("marengocam.web.announcing.ifaddr.get_adapters", lambda: adapters)
    assert addresses_of("0.0.0.0") == ["192.168.1.5"]


async def test_it_is_found_with_what_home_assistant_needs_and_gone_afterwards():
    installation_id = str(uuid4())
    changes: asyncio.Queue[tuple[str, ServiceStateChange]] = asyncio.Queue()

    def changed(name, state_change, **_):
        if installation_id[:8] in name:
            changes.put_nowait((name, state_change))

    listener = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    browser = AsyncServiceBrowser(listener.zeroconf, SERVICE_TYPE, handlers=[changed])
    try:
        async with asyncio.timeout(PATIENCE_S):
            async with announced([LOOPBACK], 8470, installation_id):
                name, change = await changes.get()
                assert change is ServiceStateChange.Added
                info = AsyncServiceInfo(SERVICE_TYPE, name)
                assert await info.async_request(listener.zeroconf, 10_000)
                assert (info.port, info.parsed_addresses()) == (8470, [LOOPBACK])
                assert info.decoded_properties["installation_id"] == installation_id
            while change is not ServiceStateChange.Removed:
                _, change = await changes.get()
    finally:
        await browser.async_cancel()
        await listener.async_close()
