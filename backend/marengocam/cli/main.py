"""The command line: parses, finds the command's module, maps errors to one clear line."""

import argparse
import asyncio
import inspect
import io
import sys
from collections.abc import Sequence

from marengocam import __version__
from marengocam.cli import app, cameras, chores, replay_suite, replays, rules, services, storage, ways, wishes, words
from marengocam.core.errors import MarengoCamError
from marengocam.settings import load_settings

USAGE_STATUS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 well, 1 it found something wrong, 2 it could not be done."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # names in any script, on a terminal that knows one
    parsed = build_parser().parse_args(arguments)
    try:
        result = parsed.command(load_settings(), parsed)
        status = asyncio.run(result) if inspect.iscoroutine(result) else result
    except MarengoCamError as error:
        print(f"marengocam: {error}", file=sys.stderr)
        return USAGE_STATUS
    except KeyboardInterrupt:
        return 130
    return int(status or 0)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="marengocam", description="Who is where, from ordinary cameras.")
    parser.add_argument("--version", action="version", version=f"marengocam {__version__}")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")
    services.add_commands(commands)
    cameras.add_commands(commands)
    chores.add_commands(commands)
    words.add_commands(commands)
    rules.add_commands(commands)
    wishes.add_commands(commands)
    replay_suite.add_commands(replays.add_commands(commands))
    storage.add_commands(commands)
    app.add_commands(commands)
    ways.add_commands(commands)
    return parser
