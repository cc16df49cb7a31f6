"""Commands for what holds for the whole installation and changes at once: privacy, certainty for names."""

import argparse

from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.core.errors import BadInputError
from marengocam.settings import Settings

LEAST_PROBABILITY, MOST_PROBABILITY = 0.5, 0.9999


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add them."""
    privacy = commands.add_parser("privacy", help="switch all cameras off and on: nothing is recorded or analysed")
    privacy.add_argument("state", choices=["on", "off", "show"])
    privacy.set_defaults(command=set_privacy)
    certainty = commands.add_parser("certainty", help="the probability from which a name is said")
    certainty.add_argument("probability", nargs="?", help="such as 0.95; default: as the settings say; none: show it")
    certainty.set_defaults(command=set_certainty)


async def set_privacy(settings: Settings, arguments: argparse.Namespace) -> None:
    """Switch privacy, and say what holds."""
    async with opened_hub(settings) as hub:
        if arguments.state == "show":
            wishes = await hub.preferences.get()
        else:
            wishes = await hub.preferences.change(privacy=arguments.state == "on")
    print(f"Privacy is {'on: no camera is recorded or analysed' if wishes.privacy else 'off'}.")


async def set_certainty(settings: Settings, arguments: argparse.Namespace) -> None:
    """Change the probability, and say which holds."""
    async with opened_hub(settings) as hub:
        if arguments.probability is None:
            wishes = await hub.preferences.get()
        else:
            wishes = await hub.preferences.change(confirm_probability=_probability(arguments.probability))
    wished = wishes.confirm_probability
    print(f"Names are said from {settings.confirm_probability if wished is None else wished} on.")


def _probability(text: str) -> float | None:
    if text == "default":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not LEAST_PROBABILITY <= value <= MOST_PROBABILITY:
        raise BadInputError(f"The probability must be from {LEAST_PROBABILITY} to {MOST_PROBABILITY}, or 'default'.")
    return value
