"""Where the server's unix socket lies: a private folder with a path short enough for a socket."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from marengocam.core.errors import StoreError
from marengocam.db.embedded.account import PRIVATE, Account, own_folder
from marengocam.db.embedded.address import SOCKET

MAX_FOLDER_BYTES = 107 - len(f"/{SOCKET}")  # a socket's whole path may have 107


def socket_folder(data_dir: Path, account: Account) -> Path:
    """Return a folder that only the account (and root) may enter; whoever enters it is let into the database."""
    beside = data_dir / "postgres-run"
    if _fits(beside):
        own_folder(beside, account)
        return beside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    base = min(Path(tempfile.gettempdir()), Path("/tmp"), key=lambda path: len(str(path)))  # noqa: S108 - checked below
    folder = base / f"marengocam-{account.uid}-{digest}"
    try:
        folder.mkdir(mode=PRIVATE)
        if os.geteuid() == 0:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        _refuse_foreign(folder, account)
    return folder


def clear_sockets(folder: Path) -> None:
    """Remove what a killed server left: a lock file whose process id lives again would keep the next one out."""
    for name in (SOCKET, f"{SOCKET}.lock"):
        (folder / name).unlink(missing_ok=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= MAX_FOLDER_BYTES


def _refuse_foreign(folder: Path, account: Account) -> None:
    """Anybody may make folders there: only a real, private one of the account's own is used."""
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077 == 0
    if not private or status.st_uid != account.uid:
        raise StoreError(f"{folder} is not the database's own: remove it, or choose a data folder with a shorter path.")
