"""What needs root, once at each start: folders for each account, the services' options, the Supervisor's token."""

import json
import logging
import os
import pwd
import shutil
from collections.abc import Mapping
from pathlib import Path

from marengocam.app.layout import Layout
from marengocam.app.options import certificates_of, read_options, settings_of
from marengocam.core.errors import BadInputError
from marengocam.settings import OPTIONS_FILE_VARIABLE, load_settings

SERVICES = "marengocam"
FACE = "marengocam-face"
ANNOUNCE = "marengocam-announce"
POSTGRES = "postgres"
POOLER = "pgbouncer"
TOKEN_VARIABLE = "SUPERVISOR_TOKEN"  # noqa: S105 - the variable's name
_LOG = logging.getLogger(__name__)


def prepare(layout: Layout, environment: Mapping[str, str]) -> None:
    """Make everything ready for the processes that s6 starts next; raises BadInputError naming the option."""
    options = read_options(layout.options)
    settings = settings_of(options, layout)
    layout.run.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write(layout.settings, json.dumps(settings), "root", SERVICES, 0o640)
    load_settings({OPTIONS_FILE_VARIABLE: str(layout.settings)})
    if settings.get("database_url"):
        layout.external_mark.touch()
    else:
        layout.external_mark.unlink(missing_ok=True)
    _write(layout.supervisor_token, environment.get(TOKEN_VARIABLE, ""), ANNOUNCE, ANNOUNCE, 0o400)
    _folder(layout.own_certificates, SERVICES, SERVICES, 0o700)
    for option, (source, target) in certificates_of(options, layout).items():
        _write(target, _certificate(option, source), SERVICES, SERVICES, 0o400)
    _folder(layout.mqtt_url.parent, ANNOUNCE, SERVICES, 0o750)
    for socket_folder, account in ((Path("/run/postgresql"), POSTGRES), (Path("/run/pgbouncer"), POOLER)):
        _folder(socket_folder, account, account, 0o755)
    _folder(layout.clusters, POSTGRES, POSTGRES, 0o700)
    _folder(layout.dumps, POSTGRES, POSTGRES, 0o700)
    _folder(layout.announced, ANNOUNCE, ANNOUNCE, 0o700)
    _folder(layout.state, SERVICES, SERVICES, 0o750)
    # After a restore everything is root's.
    for folder, account in ((layout.clusters, POSTGRES), (layout.dumps, POSTGRES), (layout.announced, ANNOUNCE)):
        _give(folder, account)
    _give(layout.state, SERVICES)
    _folder(layout.state / "models", SERVICES, SERVICES, 0o775)  # face fetches its own
    _media(Path(str(settings["media_dir"])), "media_folder")
    if "archive_dir" in settings:
        _media(Path(str(settings["archive_dir"])), "archive_folder")


def _certificate(option: str, file: Path) -> str:
    """Return what a certificate's or key's file holds: only root may read the keys in Home Assistant's folder."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no PEM text"
        raise BadInputError(
            f"The file {file.name} of the option {option} cannot be read from Home Assistant's folder ssl: {reason}."
        ) from error


def _media(folder: Path, option: str) -> None:
    """Make the recordings' folder; a network storage may keep its own idea of owners."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"The folder {folder} for recordings cannot be made ({error.strerror}): is the network storage there? "
            f"Look at the option {option}."
        ) from error
    try:
        shutil.chown(folder, SERVICES, SERVICES)
    except OSError as error:
        _LOG.info("%s keeps its owner: %s", folder, error.strerror)


def _folder(folder: Path, account: str, group: str, mode: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, account, group)
    folder.chmod(mode)


def _give(folder: Path, account: str) -> None:
    """Give everything below a folder to its account, where it is root's; links are not followed."""
    known = pwd.getpwnam(account)
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.lstat().st_uid == 0:
                os.lchown(path, known.pw_uid, known.pw_gid)


def _write(file: Path, text: str, account: str, group: str, mode: int) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    shutil.chown(partial, account, group)
    partial.chmod(mode)
    partial.replace(file)
