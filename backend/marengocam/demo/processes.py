"""Child processes of the demo: started in groups of their own, stopped cleanly, never left behind."""

import asyncio
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from marengocam.orphans import end_with_parent

STOP_LIMIT_S = 20.0
KILL_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running child process and where its output goes."""

    name: str
    process: asyncio.subprocess.Process
    log_file: Path

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def last_lines(self, count: int = 15) -> str:
        """Return the end of what it printed."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-count:])


async def start_child(name: str, command: Sequence[str], log_file: Path, environment: Mapping[str, str]) -> Child:
    """Start a command whose output goes to `log_file`; it dies with this process, however this process ends."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGTERM),
        )
    return Child(name, process, log_file)


async def stop_child(child: Child) -> None:
    """Ask it to end, then insist."""
    for number, limit_s in ((signal.SIGTERM, STOP_LIMIT_S), (signal.SIGKILL, KILL_LIMIT_S)):
        if not child.running:
            return
        try:
            if number is signal.SIGKILL:
                os.killpg(child.process.pid, number)
            else:
                child.process.send_signal(number)
            async with asyncio.timeout(limit_s):
                await child.process.wait()
        except (TimeoutError, ProcessLookupError):
            continue


def free_port(preferred: int = 0) -> int:
    """Return a loopback port that is free now, the preferred one if possible."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on the loopback address")
