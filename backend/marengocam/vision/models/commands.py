"""`marengocam models list|fetch|export|verify`."""

from marengocam.core.errors import BadInputError, ModelError
from marengocam.settings import Settings
from marengocam.vision.models.download import fetch_model
from marengocam.vision.models.exporting import FORMATS, export_model
from marengocam.vision.models.finder import DOWNLOADED_FOLDER, Models
from marengocam.vision.models.registry import MODELS, spec_named


def run(settings: Settings, action: str, name: str | None, kind: str = FORMATS[0]) -> int:
    """Do one action; return the exit status: verify finds 1 when a role has no usable file."""
    if action == "fetch":
        return _fetch(settings, name)
    if action == "export":
        return _export(settings, name, kind)
    models = Models(settings)
    missing = {spec.role for spec in MODELS}
    for spec in MODELS:
        file = models.find(spec)
        if file is not None:
            missing.discard(spec.role)
        place = file or ("not here; can be fetched" if spec.url else "not here")
        print(f"{spec.role:15} {spec.name:24} {place!s:60} {spec.quality} ({spec.licence})")  # noqa: T201 - a command
    return int(action == "verify" and bool(missing))


def _export(settings: Settings, name: str | None, kind: str) -> int:
    spec = spec_named(name or "")
    if spec is None or not spec.needs_torch:
        names = ", ".join(spec.name for spec in MODELS if spec.needs_torch)
        raise BadInputError(f"Name one of: {names}.")
    file = Models(settings).find(spec, download=True)
    if file is None:
        raise ModelError(f"{spec.name} is not here and could not be fetched: see `marengocam models list`.")
    print(export_model(file, kind, settings.data_dir / DOWNLOADED_FOLDER))  # noqa: T201 - a command
    return 0


def _fetch(settings: Settings, name: str | None) -> int:
    spec = spec_named(name or "")
    if spec is None:
        names = ", ".join(spec.name for spec in MODELS if spec.url)
        raise BadInputError(f"Name one of: {names}.")
    print(fetch_model(spec, settings.data_dir / DOWNLOADED_FOLDER))  # noqa: T201 - a command
    return 0
