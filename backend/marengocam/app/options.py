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
    "database_url", "bus_url", "mqtt_url", "mqtt_topic_prefix", "mqtt_discovery", "mqtt_discovery_prefix", "face_url",
    "face_engines", "appearance", "analysis_fps", "analysis_detail", "isolate_decoders", "detector",
    "confirm_probability", "retention_days", "stranger_days", "archive_after_days", "download_models", "latitude",
    "longitude", "time_zone", "webhook_hosts", "log_level",
)  # fmt: skip
CERTIFICATES = ("mqtt_ca_file", "mqtt_certificate_file", "mqtt_key_file")  # files in Home Assistant's folder ssl
OTHER = ("media_folder", "archive_folder", "retention_max_gb", "faces")
OPTIONS = frozenset((*SAME, *CERTIFICATES, *OTHER))
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
    settings |= {name: str(target) for name, (_, target) in certificates_of(options, layout).items()}
    if options.get("archive_folder"):
        settings["archive_dir"] = str(_below(layout.media, "archive_folder", str(options["archive_folder"])))
    return settings | {
        "data_dir": str(layout.state),
        "media_dir": str(_below(layout.media, "media_folder", str(options.get("media_folder") or "marengocam"))),
        "retention_max_bytes": int(options.get("retention_max_gb") or 0) * BYTES_PER_GB,
        "bind_host": "0.0.0.0",  # noqa: S104 - the container's own network: Home Assistant has to come in
        "web_port": WEB_PORT,
        "ingress_port": INGRESS_PORT,
        "announce": False,  # the Supervisor is told instead
    }


def certificates_of(options: Mapping[str, Any], layout: Layout) -> dict[str, tuple[Path, Path]]:
    """Return where each named certificate or key lies and where the services find theirs; raises BadInputError."""
    return {
        name: (_below(layout.certificates, name, str(options[name])), layout.own_certificates / f"{name}.pem")
        for name in CERTIFICATES
        if options.get(name)
    }


def _below(folder: Path, option: str, name: str) -> Path:
    """Return a path below one of Home Assistant's folders."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or any(part.startswith(".") for part in path.parts):
        raise BadInputError(
            f"The option {option} cannot be {name!r}: give a name within Home Assistant's folder {folder.name}, such "
            "as marengocam, or one in a folder there, such as nas/marengocam."
        )
    return folder / path
