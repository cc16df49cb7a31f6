"""What commands open: the hub, and an owner's secrets from files."""

import argparse
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from marengocam.core.errors import BadInputError
from marengocam.core.secret import Secret
from marengocam.settings import Settings

if TYPE_CHECKING:
    from marengocam.db.hub import Hub

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives it no public name


def opened_hub(settings: Settings) -> "AbstractAsyncContextManager[Hub]":
    """Return the hub for one command."""
    from marengocam.db.hub import open_hub  # noqa: PLC0415 - loaded when needed

    return open_hub(settings, "command", pool_size=1)


def plain_address(url: str) -> str:
    """Return an address that carries no login; raises BadInputError."""
    if "@" in url.split("://", 1)[-1].split("/", 1)[0]:
        raise BadInputError("Give user and password with --username and --password-file, not inside the address.")
    return url


def password_of(arguments: argparse.Namespace) -> Secret | None:
    """Return the password from the file that was named; raises BadInputError."""
    if arguments.password_file is None:
        return None
    try:
        return Secret(arguments.password_file.read_text().strip())
    except OSError as error:
        raise BadInputError(f"The password file cannot be read: {error.strerror}.") from error
