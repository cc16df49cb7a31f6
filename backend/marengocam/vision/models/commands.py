"""`marengocam models list|fetch|verify`."""

from marengocam.core.errors import BadInputError
from marengocam.settings import Settings
from marengocam.vision.models.download import fetch_model
from marengocam.vision.models.finder import DOWNLOADED_FOLDER, Models
from marengocam.vision.models.registry import MODELS, spec_named


def run(settings: Settings, action: str, name: str | None) -> int:
    """Do one action; return the exit status: verify finds 1 when a role has no usable file."""
    if action == "fetch":
        return _fetch(settings, name)
    models = Models(settings)
    missing = {spec.role for spec in MODELS}
    for spec in MODELS:
        file = models.find(spec)
        if file is not None:
            missing.discard(spec.role)
        place = file or ("not here; can be fetched" if spec.url else "not here")
        print(f"{spec.role:15} {spec.name:24} {place!s:60} {spec.quality} ({spec.licence})")  # noqa: T201 - a command
    return int(action == "verify" and bool(missing))


def _fetch(settings: Settings, name: str | None) -> int:
    spec = spec_named(name or "")
    if spec is None:
        names = ", ".join(spec.name for spec in MODELS if spec.url)
        raise BadInputError(f"Name one of: {names}.")
    print(fetch_model(spec, settings.data_dir / DOWNLOADED_FOLDER))  # noqa: T201 - a command
    return 0
