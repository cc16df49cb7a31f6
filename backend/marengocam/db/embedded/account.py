"""Under which account the embedded server runs, and whether that account can reach its files."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from marengocam.core.errors import StoreError

PREFERRED_ACCOUNTS = ("marengocam", "postgres", "nobody")
CHECK_LIMIT_S = 10.0
PRIVATE = 0o700


class RunAs(TypedDict, total=False):
    """Arguments for subprocess that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine; `run_as` is empty when it is the present one."""

    name: str
    uid: int
    gid: int

    @property
    def run_as(self) -> RunAs:
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """Return whether the account passes `test` of test(1), such as -x or -w, for a path."""
        checked = subprocess.run(["test", test, str(path)], check=False, timeout=CHECK_LIMIT_S, cwd="/", **self.run_as)
        return checked.returncode == 0


def database_account(cluster: Path) -> Account:
    """Return the account for the server of `cluster`.

    That is the cluster's owner once it exists, else the present account, or a plain one when root, since PostgreSQL
    refuses root. Raises StoreError when there is none, or when the cluster belongs to somebody else.
    """
    owner = _owner(cluster / "PG_VERSION")
    if os.geteuid() != 0:
        if owner is not None and owner.uid != os.geteuid():
            raise StoreError(
                f"The database in {cluster} belongs to the account {owner.name!r}: start MarengoCam as that account, "
                f"or give it to this one with `chown -R {os.geteuid()} {cluster}`."
            )
        return _account(os.geteuid(), os.getegid())
    if owner is None:
        return _plain_account()
    if owner.uid == 0:
        name = _plain_account().name
        raise StoreError(
            f"The database in {cluster} belongs to root, which PostgreSQL refuses (a backup restored without its "
            f"owners?): give it to another account with `chown -R {name}: {cluster}`."
        )
    return owner


def own_folder(folder: Path, account: Account) -> None:
    """Make a folder that only the account (and root) may enter.

    Raises StoreError when the account cannot get there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, account.uid, account.gid)
        folder.chmod(PRIVATE)
    except OSError as error:
        raise StoreError(f"{folder} cannot be prepared for the database: {error.strerror}.") from error
    if not account.can("-w", folder):
        raise StoreError(
            f"The database's account {account.name!r} cannot enter {folder}: a folder above it is closed. "
            "Choose another data folder (MARENGOCAM_DATA_DIR, such as /var/lib/marengocam) or open the one above with "
            "`chmod o+x`."
        )


def _plain_account() -> Account:
    for name in PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StoreError("No account for the database was found: create one with `useradd --system marengocam`.")


def _account(uid: int, gid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, gid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _owner(file: Path) -> Account | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"The database in {file.parent} cannot be read ({error.strerror}): start MarengoCam as the account that "
            "made it."
        ) from error
    return _account(status.st_uid, status.st_gid)
