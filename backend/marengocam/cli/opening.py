"""What commands open: the hub, and an owner's secrets from files."""

import argparse
import re
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from marengocam.core.camera_names import SCHEMES, tidied
from marengocam.core.errors import BadInputError
from marengocam.core.secret import Secret
from marengocam.settings import Settings

if TYPE_CHECKING:
    from marengocam.db.hub import Hub

EXAMPLE = "rtsp://192.168.1.20:554/path"
Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives it no public name


def opened_hub(settings: Settings) -> "AbstractAsyncContextManager[Hub]":
    """Return the hub for one command."""
    from marengocam.db.hub import open_hub  # noqa: PLC0415 - loaded when needed

    return open_hub(settings, "command", pool_size=1)


def plain_address(url: str) -> str:
    """Return a camera's address as it is kept, which carries no login; raises BadInputError."""
    url = tidied(url)
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest:
        raise BadInputError(f"The address must begin with {'://, '.join(SCHEMES)}://: write it as {EXAMPLE}.")
    if "@" in re.split("[/?#]", rest)[0]:
        raise BadInputError("Give user and password with --username and --password-file, not inside the address.")
    if scheme == "file":
        return url
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:  # its cause would show the address, and maybe a password
        raise BadInputError(f"The address cannot be read: write it as {EXAMPLE}, IPv6 in brackets.") from None
    if not host:
        raise BadInputError(f"The address has no host: write it as {EXAMPLE}.")
    return url


def password_of(arguments: argparse.Namespace) -> Secret | None:
    """Return the password from the file that was named; raises BadInputError."""
    if arguments.password_file is None:
        return None
    try:
        return Secret(arguments.password_file.read_text("utf-8-sig").strip())  # some editors begin a file with a mark
    except UnicodeDecodeError:  # its cause would show what stands there
        raise BadInputError("The password file is no UTF-8 text: save it as that.") from None
    except OSError as error:
        raise BadInputError(f"The password file cannot be read: {error.strerror}.") from error
