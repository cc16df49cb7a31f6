"""Where a model is looked for: the owner's folder, the data folder, then the upstream's release."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from marengocam.core.errors import ModelError
from marengocam.settings import Settings
from marengocam.vision.models.download import fetch_model
from marengocam.vision.models.registry import ModelSpec, Role, specs_of

DOWNLOADED_FOLDER = "models"
READ_BYTES = 1 << 20
_LOG = logging.getLogger(__name__)


class Models:
    """Finds model files; every file is verified before it is used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verified: dict[Path, bool] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where files are looked for, in order."""
        own = (self._settings.models_dir,) if self._settings.models_dir else ()
        return (*own, self._settings.data_dir / DOWNLOADED_FOLDER)

    def find(self, spec: ModelSpec, *, download: bool = False) -> Path | None:
        """Return the verified file of a model, fetched if that is allowed and wanted, or None."""
        for folder in self.folders:
            file = folder / spec.file_name
            if file.is_file():
                if self._verify(file, spec):
                    return file
                _LOG.warning("%s", wrong_content(file, spec))
        if not (download and self._settings.download_models and spec.url):
            return None
        try:
            return fetch_model(spec, self._settings.data_dir / DOWNLOADED_FOLDER)
        except ModelError as error:
            _LOG.warning("%s", error)
            return None

    def best(self, role: Role, *, without: Iterable[str] = (), torch: bool = False) -> tuple[ModelSpec, Path] | None:
        """Return the best model of a role that is here, else the best that can be fetched, or None."""
        usable = [spec for spec in specs_of(role) if spec.name not in set(without) and (torch or not spec.needs_torch)]
        for download in (False, True):
            for spec in usable:
                file = self.find(spec, download=download)
                if file is not None:
                    return spec, file
        return None

    def _verify(self, file: Path, spec: ModelSpec) -> bool:
        if file not in self._verified:
            self._verified[file] = sha256_of(file) == spec.sha256
        return self._verified[file]


def sha256_of(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def wrong_content(file: Path, spec: ModelSpec) -> str:
    """Return what to tell when a file under a known name holds something else."""
    return (
        f"{file.name} is not the known {spec.name} (its SHA-256 differs), so it is not used: "
        f"delete it, or fetch it again with `marengocam models fetch {spec.name}`."
    )
