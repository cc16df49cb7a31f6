"""`marengocam up`: the embedded database and every service as a process of its own, restarted when it dies or hangs."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import MarengoCamError
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.migrate import migrate
from marengocam.orphans import end_with_parent
from marengocam.runtime.logs import start_logging
from marengocam.runtime.service import DRAIN_LIMIT_S, endpoint_of
from marengocam.settings import Settings

SERVICES = ("ingest", "resolver", "automation", "face", "janitor", "web")
RECORDER = "ingest"
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 10.0
RECORDER_BACKOFF_MAX_S = 2.0  # of ingest: what it does not record is lost
HEALTHY_RESETS_BACKOFF_S = 30.0
START_GRACE_S = 30.0
UNHEALTHY_LIMIT_S = 20.0
PROBE_EVERY_S = 2.0
PROBE_LIMIT_S = 3.0
DATABASE_CHECK_S = 1.0
KILL_LIMIT_S = 2.0
LAST_WORDS_LIMIT_S = 2.0  # so long a service that ended is listened to before it is started again
TOO_LONG = b"(a line of the log is left out: it is too long)\n"
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Child:
    """One service's process and how it fared."""

    name: str
    process: asyncio.subprocess.Process | None = None
    backoff_s: float = BACKOFF_FIRST_S
    started_s: float = 0.0
    healthy_s: float = field(default=0.0)

    def next_backoff_s(self, lived_s: float) -> float:
        """Return how long to wait before it is started again, and wait longer for what dies again and again."""
        if lived_s > HEALTHY_RESETS_BACKOFF_S:
            self.backoff_s = BACKOFF_FIRST_S
        wait_s = self.backoff_s
        limit_s = RECORDER_BACKOFF_MAX_S if self.name == RECORDER else BACKOFF_MAX_S
        self.backoff_s = min(wait_s * 2, limit_s)
        return wait_s


def supervise(settings: Settings, services: Sequence[str] = SERVICES) -> int:
    """Run everything on this machine until SIGTERM or SIGINT; return the exit status."""
    start_logging("up", settings.log_level, as_json=settings.log_json, secrets=settings.secrets)
    server = None
    try:
        if not settings.database_url:
            # From the main thread: the server ends with the thread that started it.
            server = EmbeddedServer(settings.data_dir, die_with_parent=True)
            server.start()
            _LOG.info("database started")
        return asyncio.run(_Supervisor(settings, server, services).run())
    except MarengoCamError as error:
        _LOG.error("%s", error)
        return 1
    finally:
        if server is not None:
            server.stop()
            _LOG.info("database stopped")


class _Supervisor:
    def __init__(self, settings: Settings, server: EmbeddedServer | None, services: Sequence[str]) -> None:
        self._settings = settings
        self._server = server
        self._children = [Child(name) for name in services]
        self._clock: Clock = SystemClock()
        self._stopping = asyncio.Event()
        self._listening: set[asyncio.Task[None]] = set()  # to what services say, and who outlives them
        self._database_thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        await migrate(self._settings)
        async with aiohttp.ClientSession() as session:
            keepers = [asyncio.create_task(self._keep(child, session)) for child in self._children]
            if self._server is not None:
                keepers.append(asyncio.create_task(self._keep_database(self._server)))
            await self._stopping.wait()
            _LOG.info("stopping")
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(self._stop(child) for child in self._children))
        return 0

    async def _keep(self, child: Child, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                output = await self._start(child)
            except OSError as error:  # no memory, no process numbers: a matter of waiting
                _LOG.error("%s cannot be started: %s", child.name, error.strerror)
                await asyncio.sleep(child.next_backoff_s(0.0))
                continue
            assert child.process is not None
            watch = asyncio.create_task(self._watch(child, session))
            try:
                status = await child.process.wait()
            finally:
                watch.cancel()
            # A process of its own that outlives it, as a decoder that hangs, holds its output; that is read on beside.
            await asyncio.wait([output], timeout=LAST_WORDS_LIMIT_S)
            wait_s = child.next_backoff_s(self._clock.monotonic_s() - child.started_s)
            _LOG.warning("%s ended (status %d); restarted in %.1f s", child.name, status, wait_s)
            await asyncio.sleep(wait_s)

    async def _start(self, child: Child) -> "asyncio.Task[None]":
        """Start a service; return what passes its log lines on. Raises OSError."""
        # A pipe of our own: until one of its own is closed asyncio of Python 3.11 takes a process for living, and
        # whoever outlives the process may hold it.
        reading, writing = os.pipe()
        try:
            child.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "marengocam.cli",
                child.name,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(end_with_parent, signal.SIGKILL),  # noqa: PLW1509,RUF100 - one system call, safe after a fork
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        output = asyncio.create_task(_listen(reading))
        self._listening.add(output)
        output.add_done_callback(self._listening.discard)
        child.started_s = child.healthy_s = self._clock.monotonic_s()
        _LOG.info("%s started (process %d)", child.name, child.process.pid)
        return output

    async def _watch(self, child: Child, session: aiohttp.ClientSession) -> None:
        """Kill a child whose /health fails or does not answer for too long; it is then restarted."""
        endpoint = endpoint_of(child.name, self._settings)
        host = "127.0.0.1" if endpoint.host in {"0.0.0.0", "::"} else endpoint.host  # noqa: S104 - compared, not bound
        child.healthy_s = self._clock.monotonic_s() + START_GRACE_S - UNHEALTHY_LIMIT_S
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            with contextlib.suppress(aiohttp.ClientError, OSError):
                limit = aiohttp.ClientTimeout(total=PROBE_LIMIT_S)
                async with session.get(f"http://{host}:{endpoint.port}/health", timeout=limit) as answer:
                    if answer.status == 200:
                        child.healthy_s = max(child.healthy_s, self._clock.monotonic_s())
            if self._clock.monotonic_s() - child.healthy_s > UNHEALTHY_LIMIT_S and child.process is not None:
                _LOG.error("%s does not answer or fails for %.0f s: killed", child.name, UNHEALTHY_LIMIT_S)
                _kill(child.process)
                return

    async def _keep_database(self, server: EmbeddedServer) -> None:
        while True:
            await asyncio.sleep(DATABASE_CHECK_S)
            if not server.running():
                _LOG.error("the database ended; it is started again")
                try:
                    # In a thread that lives as long as we do, since the server ends with the thread that starts it.
                    await asyncio.get_running_loop().run_in_executor(self._database_thread, server.start)
                except (MarengoCamError, OSError) as error:
                    _LOG.error("%s", error)

    async def _stop(self, child: Child) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(DRAIN_LIMIT_S + KILL_LIMIT_S):
                await process.wait()
        except TimeoutError:
            _LOG.error("%s did not end in time: killed", child.name)
            _kill(process)
            await process.wait()


async def _listen(reading: int) -> None:
    """Pass on what comes out of a pipe, until all who hold its other end have closed it."""
    lines = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb")
    )
    try:
        await _relay(lines)
    finally:
        transport.close()


async def _relay(output: asyncio.StreamReader) -> None:
    """Pass a child's log lines on; they carry its name.

    Whatever it writes and wherever that goes, it is read to its end: a child whose pipe is full would stand still.
    """
    while True:
        try:
            line = await output.readline()
        except ValueError:
            line = TOO_LONG
        if not line:
            return
        with contextlib.suppress(OSError):  # nobody reads our own log any more
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
