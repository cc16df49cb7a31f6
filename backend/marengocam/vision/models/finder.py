"""Where a model is looked for: the owner's folder, the data folder, then the upstream's release."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from marengocam.core.errors import ModelError
from marengocam.settings import Settings
from marengocam.vision.models.download import fetch_model, never, sha256_of
from marengocam.vision.models.made import made_in
from marengocam.vision.models.registry import MODELS, ModelSpec, Role

DOWNLOADED_FOLDER = "models"
_LOG = logging.getLogger(__name__)


class Models:
    """Finds model files; every file is verified before it is used. `stopping` ends a download that is under way."""

    def __init__(self, settings: Settings, stopping: Callable[[], bool] = never) -> None:
        self._settings = settings
        self._stopping = stopping
        self._tried: set[str] = set()  # a download that failed is not tried again before the next start
        self._verified: dict[Path, bool] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where files are looked for, in order."""
        own = (self._settings.models_dir,) if self._settings.models_dir else ()
        return (*own, self._settings.data_dir / DOWNLOADED_FOLDER)

    def specs(self) -> tuple[ModelSpec, ...]:
        """Return the known models and those made here, best first within a role; of one name the first folder's."""
        made = {spec.name: spec for folder in reversed(self.folders) for spec in made_in(folder)}
        mine = sorted(made.values(), key=lambda spec: (spec.int8_of is not None, spec.name))
        return tuple(sorted((*MODELS, *mine), key=lambda spec: spec.fixed_px is not None))

    def int8_of(self, spec: ModelSpec) -> tuple[ModelSpec, Path] | None:
        """Return the INT8 network that was made of exactly this one, or None."""
        for small in self.specs():
            if small.int8_of == (spec.name, spec.digest):
                file = self.find(small)
                if file is not None:
                    return small, file
        return None

    def find(self, spec: ModelSpec, *, download: bool = False) -> Path | None:
        """Return the verified file of a model, fetched if that is allowed and wanted, or None."""
        for folder in self.folders:
            file = folder / spec.file_name
            if file.is_file():
                if self._verify(file, spec):
                    return file
                _LOG.warning("%s", wrong_content(file, spec))
        if not (download and self._settings.download_models and spec.url) or spec.name in self._tried:
            return None
        self._tried.add(spec.name)
        try:
            return fetch_model(spec, self._settings.data_dir / DOWNLOADED_FOLDER, self._stopping)
        except ModelError as error:
            _LOG.warning("%s", error)
            return None

    def best(self, role: Role, *, without: Iterable[str] = (), torch: bool = False) -> tuple[ModelSpec, Path] | None:
        """Return the best model of a role that is here, else the best that can be fetched, or None.

        `torch`: of the files that torch reads, instead of those that everything else reads.
        """
        mine = [spec for spec in self.specs() if spec.role is role and spec.name not in set(without)]
        usable = [spec for spec in mine if spec.needs_torch is torch]
        for download in (False, True):
            for spec in usable:
                file = self.find(spec, download=download)
                if file is not None:
                    return spec, file
        return None

    def _verify(self, file: Path, spec: ModelSpec) -> bool:
        if file not in self._verified:
            folder = file.parents[len(Path(spec.file_name).parts) - 1]
            self._verified[file] = sha256_of(file) == spec.sha256 and all(
                (folder / name).is_file() and sha256_of(folder / name) == sha256 for name, sha256 in spec.beside
            )
        return self._verified[file]


def wrong_content(file: Path, spec: ModelSpec) -> str:
    """Return what to tell when a file under a known name holds something else."""
    if spec.url is None:
        return (
            f"{file.name} is not the {spec.name} that is known (its SHA-256 differs), so it is not used: "
            "delete it, or make or copy it again."
        )
    return (
        f"{file.name} is not the known {spec.name} (its SHA-256 differs), so it is not used: "
        f"delete it, or fetch it again with `marengocam models fetch {spec.name}`."
    )
