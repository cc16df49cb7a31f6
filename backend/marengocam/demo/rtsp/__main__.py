"""`python -m marengocam.demo.rtsp --mount front=front.mp4`: shows files as live cameras until it is told to end."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from marengocam.core.errors import MarengoCamError
from marengocam.demo.rtsp.server import RtspServer


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m marengocam.demo.rtsp", description=__doc__)
    parser.add_argument("--mount", action="append", required=True, metavar="NAME=FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8554)
    arguments = parser.parse_args()
    try:
        mounts = {name: Path(file) for name, _, file in (mount.partition("=") for mount in arguments.mount)}
        asyncio.run(_serve(RtspServer(mounts, host=arguments.host, port=arguments.port)))
    except MarengoCamError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _serve(server: RtspServer) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with server:
        for name in server.mounts:
            print(server.url(name), flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
