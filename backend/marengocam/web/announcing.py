"""Telling the local network that the API is here, so that Home Assistant offers it by itself."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Sequence

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from marengocam import __version__
from marengocam.core.errors import MarengoCamError
from marengocam.runtime.context import ServiceContext

SERVICE_TYPE = "_marengocam._tcp.local."
# Networks of containers and virtual machines, by the beginning of their adapter's name: nobody else reaches them.
OF_THIS_MACHINE_ALONE = ("docker", "br-", "hassio", "veth", "virbr")
RETRY_S = 30.0  # while the hub or the network is away
GOODBYE_LIMIT_S = 2.0
ANNOUNCE_LIMIT_S = 10.0
_LOG = logging.getLogger(__name__)


def addresses_of(bind_host: str) -> list[str]:
    """Return the IPv4 addresses at which others reach a service bound to `bind_host`; none for loopback."""
    try:
        wanted = ipaddress.ip_address(bind_host)
    except ValueError:
        return []  # a name: whoever set it knows how it is found
    if not wanted.is_unspecified:
        return [] if wanted.is_loopback or wanted.version != 4 else [bind_host]
    adapters = [one for one in ifaddr.get_adapters() if not one.nice_name.startswith(OF_THIS_MACHINE_ALONE)]
    found = [ip.ip for adapter in adapters for ip in adapter.ips if ip.is_IPv4 and isinstance(ip.ip, str)]
    return [one for one in found if not ipaddress.ip_address(one).is_loopback]


async def keep_announced(context: ServiceContext) -> None:
    """Announce the API until the service is to end; what keeps it from it is logged once and tried again."""
    addresses, told = addresses_of(context.settings.bind_host), ""
    if not addresses or not context.settings.announce:
        return
    while not context.stopping.is_set():
        try:
            installation_id = str(await context.hub.settings_store.installation_id())
            async with announced(addresses, context.settings.web_port, installation_id):
                await context.stopping.wait()
        except (MarengoCamError, OSError, TimeoutError, ZeroconfError) as error:
            if (reason := f"{type(error).__name__}: {error}") != told:
                _LOG.info("the network is not told of the API; Home Assistant needs its address typed in: %s", reason)
                told = reason
            await context.pause(RETRY_S)


@contextlib.asynccontextmanager
async def announced(addresses: Sequence[str], port: int, installation_id: str) -> AsyncIterator[None]:
    """Announce the API at these addresses while the block runs. Raises OSError, TimeoutError, ZeroconfError."""
    info = ServiceInfo(
        SERVICE_TYPE,
        f"MarengoCam {installation_id[:8]}.{SERVICE_TYPE}",
        port=port,
        parsed_addresses=list(addresses),
        properties={"installation_id": installation_id, "name": f"MarengoCam ({socket.gethostname()})",
                    "version": __version__, "api_version": "1"},
        server=f"marengocam-{installation_id[:8]}.local.",
    )  # fmt: skip
    zeroconf = AsyncZeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)
    try:
        async with asyncio.timeout(ANNOUNCE_LIMIT_S):
            await (await zeroconf.async_register_service(info))
        yield
    finally:
        with contextlib.suppress(TimeoutError, OSError, ZeroconfError):
            async with asyncio.timeout(GOODBYE_LIMIT_S):
                await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()
