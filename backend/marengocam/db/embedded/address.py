"""Where the database is, for every process that needs it."""

import json
from pathlib import Path
from urllib.parse import quote, urlsplit

from marengocam.core.errors import HubUnavailableError
from marengocam.core.secret import Secret
from marengocam.settings import Settings

ADDRESS_FILE = "postgres.json"
DATABASE = "marengocam"
SUPERUSER = "postgres"
PORT = 5432  # names the socket file only; the server does not listen on TCP
SOCKET = f".s.PGSQL.{PORT}"


def database_address(settings: Settings) -> Secret:
    """Return the configured address, else that of the running embedded server.

    Raises HubUnavailableError when neither is known.
    """
    if settings.database_url:
        return with_password(settings.database_url, settings.database_password)
    try:
        content = json.loads((settings.data_dir / ADDRESS_FILE).read_text())
        return Secret(str(content["url"]))
    except (OSError, ValueError, KeyError):
        raise HubUnavailableError(
            "The embedded database is not running: start `marengocam up`, or set MARENGOCAM_DATABASE_URL."
        ) from None


def direct_address(settings: Settings) -> Secret:
    """Return the address for what needs a session of its own (LISTEN, session locks, schema steps): past any pooler.

    Raises HubUnavailableError as `database_address` does.
    """
    if settings.database_direct_url:
        return with_password(settings.database_direct_url, settings.database_password)
    return database_address(settings)


def with_password(address: Secret, password: Secret) -> Secret:
    """Return an address with a password for its user, unless it has one, or no user."""
    parts = urlsplit(address.reveal())
    user, at, hosts = parts.netloc.rpartition("@")
    if not password or not at or ":" in user:
        return address
    return Secret(parts._replace(netloc=f"{user}:{quote(password.reveal(), safe='')}@{hosts}").geturl())


def socket_address(socket_folder: Path, database: str = DATABASE) -> str:
    """Return the address of a database behind a unix socket."""
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(socket_folder), safe='')}&port={PORT}"
