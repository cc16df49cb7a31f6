"""Where the database is, for every process that needs it."""

import json
from pathlib import Path
from urllib.parse import quote

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
        return settings.database_url
    try:
        content = json.loads((settings.data_dir / ADDRESS_FILE).read_text())
        return Secret(str(content["url"]))
    except (OSError, ValueError, KeyError):
        raise HubUnavailableError(
            "The embedded database is not running: start `marengocam up`, or set MARENGOCAM_DATABASE_URL."
        ) from None


def socket_address(socket_folder: Path, database: str = DATABASE) -> str:
    """Return the address of a database behind a unix socket."""
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(socket_folder), safe='')}&port={PORT}"
