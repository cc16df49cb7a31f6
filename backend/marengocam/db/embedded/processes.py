"""Which processes serve a cluster: told by what runs in its folder, since process ids are used again."""

import contextlib
import os
import signal
import socket
import struct
from pathlib import Path

from marengocam.db.embedded.address import SOCKET

PID_FILE = "postmaster.pid"
PROGRAM = "postgres"
KNOCK_LIMIT_S = 1.0
MAY_I_ENCRYPT = struct.pack("!ii", 8, 80877103)  # SSLRequest of the protocol: any living server answers it at once
_SOCKET_FOLDER_LINE, _STATUS_LINE = 4, 7


def serving(cluster: Path) -> int | None:
    """Return the process id of the living server; None also when the number now belongs to another program."""
    lines = _pid_lines(cluster)
    try:
        pid = int(lines[0])
    except (IndexError, ValueError):
        return None
    return pid if _belongs(pid, cluster) else None


def members(cluster: Path) -> set[int]:
    """Return the process ids of the server and its backends, also of backends that outlived their server."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {pid for pid in numbers if _belongs(pid, cluster)}


def ready(cluster: Path) -> bool:
    """Return whether the server takes connections: its pid file says so."""
    lines = _pid_lines(cluster)
    return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"


def answers(cluster: Path) -> bool:
    """Return whether the server says it is ready and replies: one that is hung or just dying does not."""
    folder = serving_socket_folder(cluster)
    if folder is None or not ready(cluster):
        return False
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(KNOCK_LIMIT_S)
        try:
            door.connect(str(folder / SOCKET))
            door.sendall(MAY_I_ENCRYPT)
            return door.recv(1) in {b"N", b"S"}
        except OSError:
            return False


def serving_socket_folder(cluster: Path) -> Path | None:
    """Return the folder of the living server's socket."""
    lines = _pid_lines(cluster)
    if len(lines) <= _SOCKET_FOLDER_LINE or not lines[_SOCKET_FOLDER_LINE].strip():
        return None
    return Path(lines[_SOCKET_FOLDER_LINE].strip())


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _pid_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / PID_FILE).read_text().splitlines()
    except OSError:
        return []


def _belongs(pid: int, cluster: Path) -> bool:
    """Return whether a process is alive, no zombie, a PostgreSQL, and works in the cluster's folder."""
    process = Path(f"/proc/{pid}")
    try:
        return (process / "comm").read_text().strip() == PROGRAM and (process / "cwd").samefile(cluster)
    except OSError:
        return False
