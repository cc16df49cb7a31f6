"""The owner's options as settings."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from marengocam.app.layout import Layout
from marengocam.core.errors import BadInputError

WEB_PORT = 8470
INGRESS_PORT = 8099
BYTES_PER_GB = 1_000_000_000
# Options that are settings of the same name.
SAME = (
    "database_url", "mqtt_url", "mqtt_topic_prefix", "face_url", "appearance", "analysis_fps", "analysis_detail",
    "isolate_decoders", "detector", "confirm_probability", "retention_days", "stranger_days", "download_models",
    "log_level",
)  # fmt: skip
OTHER = ("media_folder", "retention_max_gb", "faces")
OPTIONS = frozenset((*SAME, *OTHER))
FACES_OFF = "off"


def read_options(file: Path) -> dict[str, Any]:
    """Return what the Supervisor wrote; raises BadInputError."""
    try:
        loaded = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise BadInputError(f"The app's options {file} cannot be read: save them again in Home Assistant.") from error
    if not isinstance(loaded, dict):
        raise BadInputError(f"The app's options {file} are no object: save them again in Home Assistant.")
    return loaded


def settings_of(options: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Return the settings that options stand for, and those that the container itself decides.

    Raises BadInputError. An option that is gone since an older version is passed over.
    """
    settings = {name: options[name] for name in SAME if options.get(name) not in (None, "")}
    if options.get("faces") is False:
        settings["face_url"] = FACES_OFF
    return settings | {
        "data_dir": str(layout.state),
        "media_dir": str(media_folder(str(options.get("media_folder") or "marengocam"), layout)),
        "retention_max_bytes": int(options.get("retention_max_gb") or 0) * BYTES_PER_GB,
        "bind_host": "0.0.0.0",  # noqa: S104 - the container's own network: Home Assistant has to come in
        "web_port": WEB_PORT,
        "ingress_port": INGRESS_PORT,
        "announce": False,  # the Supervisor is told instead
    }


def media_folder(name: str, layout: Layout) -> Path:
    """Return the folder below Home Assistant's media in which recordings are kept; raises BadInputError."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or any(part.startswith(".") for part in path.parts):
        raise BadInputError(
            f"The option media_folder cannot be {name!r}: give the name of a folder in Home Assistant's media, such "
            "as marengocam, or that of a network storage with one behind it, such as nas/marengocam."
        )
    return layout.media / path
