"""The app's watchdog: asks every process whether it is well, has s6 kill one that hangs, and answers for all of them.

s6 restarts what ends. This ends what hangs. The Supervisor asks here for the whole app: when this hangs, it restarts
it.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from marengocam.app.layout import Layout
from marengocam.core.clock import Clock, SystemClock
from marengocam.db.embedded.address import SOCKET
from marengocam.db.embedded.processes import MAY_I_ENCRYPT
from marengocam.runtime.endpoint import serving
from marengocam.runtime.service import endpoint_of
from marengocam.runtime.watchdog import Watchdog
from marengocam.settings import Settings

PORT = 8475
PROBE_EVERY_S = 2.0
PROBE_LIMIT_S = 3.0
HANGING_AFTER_S = 15.0
KILL_LIMIT_S = 5.0
TOUCHED_WITHIN_S = 45.0  # a round of the announcer with a silent Supervisor takes 30 s
START_GRACE_S = 180.0  # a small machine that starts everything at once, and makes a database meanwhile
GRACE_S = 60.0  # after a kill
DATABASE_GRACE_S = 300.0  # recovery from a power cut takes its time
SERVICES = ("ingest", "resolver", "automation", "face", "janitor", "web")
CRITICAL = frozenset({"ingest", "web", "postgres"})  # without these the app as a whole is not well
UNWELL_AFTER_S = 90.0  # several restarts did not help
_LOG = logging.getLogger(__name__)

Probe = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Patience:
    """How long one process may be silent: until `until_s`."""

    until_s: float
    heard_s: float
    starting: bool = True  # nothing was heard of it yet

    @classmethod
    def at_start(cls, now_s: float, grace_s: float) -> "Patience":
        """Return the patience with a process that may just be starting."""
        return cls(until_s=now_s + grace_s, heard_s=now_s)

    def heard(self, now_s: float) -> None:
        """Note that it is well."""
        self.heard_s = now_s
        self.starting = False
        self.until_s = now_s + HANGING_AFTER_S

    def hangs(self, now_s: float) -> bool:
        """Return whether it has been silent for too long."""
        return now_s > self.until_s

    def killed(self, now_s: float) -> None:
        """Give it time to come back."""
        self.until_s = now_s + GRACE_S

    def silent_s(self, now_s: float) -> float:
        """Return for how long nothing good was heard, kills and grace included."""
        return now_s - self.heard_s


def report(silent_s: Mapping[str, float], starting: Sequence[str] = ()) -> tuple[int, dict[str, object]]:
    """Return the status and body of /health from each process's silence; who is only starting is not unwell yet."""
    unwell = sorted(name for name, seconds in silent_s.items() if seconds > UNWELL_AFTER_S)
    failing = any(name in CRITICAL for name in unwell)
    state = "failing" if failing else "degraded" if unwell else "ok"
    body: dict[str, object] = {
        "status": state,
        "starting": sorted(starting),
        "silent_s": {name: round(seconds, 1) for name, seconds in silent_s.items()},
    }
    return 503 if failing else 200, body


async def watch(settings: Settings, layout: Layout, clock: Clock | None = None) -> int:
    """Watch until told to end; return the exit status."""
    clock = clock or SystemClock()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_LIMIT_S)) as session:
        rounds = _Rounds(_probes(settings, layout, session), layout, clock)
        app = web.Application()
        app.router.add_get("/health", rounds.health)
        async with Watchdog(clock).watching(), serving(app, "0.0.0.0", PORT):  # noqa: S104 - the Supervisor asks from outside
            while not stopping.is_set():
                await rounds.once()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_EVERY_S):
                        await stopping.wait()
    return 0


class _Rounds:
    def __init__(self, probes: Mapping[str, Probe], layout: Layout, clock: Clock) -> None:
        self._probes = probes
        self._layout = layout
        self._clock = clock
        now_s = clock.monotonic_s()
        self._patience = {
            name: Patience.at_start(now_s, DATABASE_GRACE_S if name == "postgres" else START_GRACE_S) for name in probes
        }

    async def once(self) -> None:
        """Ask everybody at once, and have killed whoever has been silent for too long."""
        names = list(self._probes)
        answers = await asyncio.gather(*(self._probes[name]() for name in names))
        now_s = self._clock.monotonic_s()
        for name, well in zip(names, answers, strict=True):
            known = self._patience[name]
            if well:
                known.heard(now_s)
            elif known.hangs(now_s):
                _LOG.error("%s has not answered for %.0f s: killed", name, known.silent_s(now_s))
                await _kill(name, self._layout)
                known.killed(now_s)

    async def health(self, _request: web.Request) -> web.Response:
        now_s = self._clock.monotonic_s()
        starting = [name for name, known in self._patience.items() if known.starting]
        status, body = report({name: known.silent_s(now_s) for name, known in self._patience.items()}, starting)
        return web.json_response(body, status=status)


def _probes(settings: Settings, layout: Layout, session: aiohttp.ClientSession) -> dict[str, Probe]:
    probes: dict[str, Probe] = {name: _service_probe(name, settings, session) for name in SERVICES}
    probes["announce"] = _file_probe(layout.announcer_alive)
    if not layout.external_mark.exists():
        probes["postgres"] = _either(_socket_probe(Path("/run/postgresql")), layout.preparing.exists)
        probes["pgbouncer"] = _socket_probe(Path("/run/pgbouncer"))
    return probes


def _service_probe(name: str, settings: Settings, session: aiohttp.ClientSession) -> Probe:
    port = endpoint_of(name, settings).port

    async def probe() -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/health") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    return probe


def _file_probe(file: Path) -> Probe:
    """Return whether a file was touched lately, by a process that answers nobody."""

    def touched_lately() -> bool:
        try:
            return SystemClock().now().timestamp() - file.stat().st_mtime < TOUCHED_WITHIN_S
        except OSError:
            return False

    async def probe() -> bool:
        return await asyncio.to_thread(touched_lately)

    return probe


def _either(probe: Probe, excused: Callable[[], bool]) -> Probe:
    """Return whether the probe succeeds, or there is a reason why it cannot."""

    async def excused_probe() -> bool:
        return await probe() or await asyncio.to_thread(excused)

    return excused_probe


def _socket_probe(folder: Path) -> Probe:
    """Return a knock at what speaks PostgreSQL's protocol: it needs no account, and who hangs does not answer."""

    async def probe() -> bool:
        writer = None
        try:
            async with asyncio.timeout(PROBE_LIMIT_S):
                reader, writer = await asyncio.open_unix_connection(str(folder / SOCKET))
                writer.write(MAY_I_ENCRYPT)
                return await reader.read(1) in {b"N", b"S"}
        except (OSError, TimeoutError):
            return False
        finally:
            if writer is not None:
                writer.close()

    return probe


async def _kill(name: str, layout: Layout) -> None:
    try:
        process = await asyncio.create_subprocess_exec("s6-svc", "-k", str(layout.services / name))
        async with asyncio.timeout(KILL_LIMIT_S):
            await process.wait()
    except (OSError, TimeoutError) as error:
        _LOG.error("s6 does not take the order to kill %s: %s", name, error)
