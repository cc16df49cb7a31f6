"""One command line for all services and chores; heavy imports wait until a command needs them."""

from marengocam.cli.main import main

__all__ = ["main"]
