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
        checked = subprocess.run(
            ["test", test, str(path)], check=False, timeout=CHECK_LIMIT_S, cwd="/", **self.run_as
        )
        return checked.returncode == 0


def database_account() -> Account:
    """Return the account for the server: the present one, or a plain one when root, since PostgreSQL refuses root."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StoreError("No account for the database was found: create one with `useradd --system marengocam`.")


def own_folder(folder: Path, account: Account) -> None:
    """Make a folder that only the account (and root) may enter.

    Raises StoreError when the account cannot get there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    if not account.can("-w", folder):
        raise StoreError(
            f"The database's account {account.name!r} cannot enter {folder}: a folder above it is closed. "
            "Choose another data folder (MARENGOCAM_DATA_DIR, such as /var/lib/marengocam) or open the one above with "
            "`chmod o+x`."
        )
