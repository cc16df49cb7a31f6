"""One frozen Settings: defaults, then an options file (JSON), then `MARENGOCAM_*` environment variables or files."""

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import voluptuous as vol

from marengocam.core.errors import BadInputError
from marengocam.core.face_engines import EngineAddress, engine_addresses
from marengocam.core.secret import Secret

ENVIRONMENT_PREFIX = "MARENGOCAM_"
OPTIONS_FILE_VARIABLE = "MARENGOCAM_OPTIONS_FILE"
FILE_SUFFIX = "_FILE"  # MARENGOCAM_MQTT_URL_FILE names the file that holds mqtt_url: secrets as Docker hands them out
ROOT_DATA_DIR = Path("/var/lib/marengocam")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SUPERVISOR = ipaddress.ip_network("172.30.32.2/32")  # Home Assistant's Supervisor, on every installation
MAX_INGRESS_PEERS = 256  # who may come without a token: single machines, never a whole network


def default_data_dir() -> Path:
    """Return where state is kept when nobody says: one folder every account of this machine may enter when root."""
    if os.geteuid() == 0:
        return ROOT_DATA_DIR
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "marengocam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an owner may set; each field's name is its option and, in capitals, its environment variable."""

    data_dir: Path  # embedded database, key, downloaded models
    media_dir: Path  # recordings and pictures
    models_dir: Path | None = None  # weights that are looked for first
    database_url: Secret = Secret("")  # empty: the embedded server
    database_direct_url: Secret = Secret("")  # past the pooler that database_url leads to; empty: there is no pooler
    database_password: Secret = Secret("")  # for both addresses where they name none
    secret_key_file: Path | None = None  # key of the cameras' passwords; None: secret.key in data_dir
    bind_host: str = "127.0.0.1"  # where web listens; face has no tokens and listens elsewhere
    web_port: int = 8470
    announce: bool = True  # tell the local network where the API is, when it can be reached from there
    ingress_port: int = 0  # Home Assistant's ingress: the page and API without a token; 0: none
    ingress_peers: tuple[Network, ...] = (SUPERVISOR,)  # who may come to ingress_port
    face_bind_host: str = "127.0.0.1"  # where face listens: its protocol knows no tokens, so not on a network of others
    face_port: int = 32168  # CodeProject.AI's own default
    ingest_health_port: int = 8471
    resolver_health_port: int = 8472
    automation_health_port: int = 8473
    janitor_health_port: int = 8474
    appearance: bool = True  # False: clothes and build are not compared on any camera
    face_engines: Secret = Secret("")  # engines of other makers to ask and to tell of persons: see docs/ref/face-api.md
    face_url: str = ""  # empty: our own face process on face_port; "off": no faces
    mqtt_url: Secret = Secret("")  # mqtt://user:password@host:1883; empty: none
    mqtt_topic_prefix: str = "marengocam"
    mqtt_ca_file: Path | None = None  # the broker's own certificate authority, PEM
    mqtt_certificate_file: Path | None = None  # our certificate, where the broker wants one, PEM
    mqtt_key_file: Path | None = None  # its key, PEM, without a passphrase
    mqtt_discovery: bool = False  # Home Assistant finds cameras and persons over MQTT
    mqtt_discovery_prefix: str = "homeassistant"
    bus_url: Secret = Secret("")  # wake-ups; empty: PostgreSQL; redis://...; poll: none
    latitude: float | None = None  # where the owner lives, for the sun in rules
    longitude: float | None = None
    time_zone: str = ""  # such as Europe/Berlin; empty: the machine's
    webhook_hosts: str = ""  # hosts on the owner's own network that webhooks may call, with commas between
    loopback_cameras: bool = False  # whether a camera may be on this machine itself, as with go2rtc beside us
    chunk_s: float = 60.0  # length of a recorded file
    analysis_fps: float = 5.0  # frames looked at per second and camera
    analysis_detail: str = "balanced"  # high: larger pictures, and every frame even while all is calm
    isolate_decoders: bool = False  # each camera's decoder in a process of its own, with limited memory
    detector: str = "auto"  # auto, openvino, onnx, ultralytics, hog
    detector_precision: str = "auto"  # auto, int8, bf16, f32: of the detector on the processor
    detector_min_score: float = 0.4
    vram_system_gb: float = 1.0  # shares of a GPU's memory, of 8 GB
    vram_face_gb: float = 3.0
    vram_detector_gb: float = 3.0  # of each ingest process, what CUDA itself takes included
    vram_buffer_gb: float = 1.0
    confirm_probability: float = 0.95  # a person is announced by name from here on
    retention_days: float = 14.0
    stranger_days: float = 30.0  # how long faces and looks of unknown people are kept
    retention_max_bytes: int = 0  # 0: no limit by size
    archive_dir: Path | None = None  # a second folder, to which old recordings are moved before they are deleted
    archive_after_days: float = 1.0  # moved there at this age, or earlier when the first disk fills
    download_models: bool = True
    log_level: str = "INFO"
    log_json: bool = False

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return every secret among them, for what hides secrets."""
        return tuple(value for field in fields(self) if isinstance(value := getattr(self, field.name), Secret))

    @property
    def face_engine_url(self) -> str | None:
        """Return the address of the face engine, or None when faces are switched off."""
        if self.face_url == "off":
            return None
        return self.face_url or f"http://{self.face_bind_host}:{self.face_port}"

    @property
    def foreign_engines(self) -> tuple[EngineAddress, ...]:
        """Return the face engines of other makers."""
        return engine_addresses(self.face_engines.reveal())


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))


def _engines(value: Any) -> Secret:
    """Return a list of addresses that can be read; the error tells none of them, since they carry keys."""
    given = _secret(value)
    try:
        engine_addresses(given.reveal())
    except BadInputError as error:
        raise vol.Invalid(str(error).rstrip(".")) from None
    return given


def _path(value: Any) -> Path:
    return Path(str(value)).expanduser().absolute()


def _networks(value: Any) -> tuple[Network, ...]:
    given = value.split(",") if isinstance(value, str) else value
    try:
        networks = tuple(ipaddress.ip_network(one if isinstance(one, Network) else str(one).strip()) for one in given)
    except (TypeError, ValueError):
        raise vol.Invalid("expected addresses such as 172.30.32.2, with commas in between") from None
    if any(network.num_addresses > MAX_INGRESS_PEERS for network in networks):
        raise vol.Invalid(f"expected single machines: a network here has at most {MAX_INGRESS_PEERS} addresses")
    return networks


def _bus_url(value: Secret) -> Secret:
    if not value.reveal().startswith(("redis://", "rediss://", "unix://")) and value.reveal() not in {"", "poll"}:
        raise vol.Invalid("redis://host:6379, rediss:// for TLS, unix:///path, or poll is wanted")
    return value


def _time_zone(value: Any) -> str:
    try:
        ZoneInfo(str(value))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise vol.Invalid("a time zone such as Europe/Berlin is wanted") from None
    return str(value)


_PORT = vol.All(vol.Coerce(int), vol.Range(1, 65535))
_GIGABYTES = vol.All(vol.Coerce(float), vol.Range(0, 1024))
_SCHEMA = vol.Schema(
    {
        "data_dir": _path,
        "media_dir": _path,
        "models_dir": vol.Any(None, _path),
        "database_url": _secret,
        "database_direct_url": _secret,
        "database_password": _secret,
        "secret_key_file": vol.Any(None, _path),
        "bind_host": str,
        "web_port": _PORT,
        "announce": vol.Boolean(),
        "ingress_port": vol.All(vol.Coerce(int), vol.Range(0, 65535)),
        "ingress_peers": _networks,
        "face_bind_host": str,
        "face_port": _PORT,
        "ingest_health_port": _PORT,
        "resolver_health_port": _PORT,
        "automation_health_port": _PORT,
        "janitor_health_port": _PORT,
        "face_engines": _engines,
        "face_url": str,
        "mqtt_url": _secret,
        "mqtt_topic_prefix": vol.All(str, vol.Match(r"^[^#+\x00]{1,200}$")),
        "mqtt_ca_file": vol.Any(None, _path),
        "mqtt_certificate_file": vol.Any(None, _path),
        "mqtt_key_file": vol.Any(None, _path),
        "mqtt_discovery": vol.Boolean(),
        "mqtt_discovery_prefix": vol.All(str, vol.Match(r"^[^#+\x00]{1,200}$")),
        "bus_url": vol.All(_secret, _bus_url),
        "latitude": vol.Any(None, vol.All(vol.Coerce(float), vol.Range(-90, 90))),
        "longitude": vol.Any(None, vol.All(vol.Coerce(float), vol.Range(-180, 180))),
        "time_zone": vol.Any("", _time_zone),
        "webhook_hosts": str,
        "loopback_cameras": vol.Boolean(),
        "chunk_s": vol.All(vol.Coerce(float), vol.Range(2, 900)),
        "analysis_fps": vol.All(vol.Coerce(float), vol.Range(0.2, 30)),
        "analysis_detail": vol.In(["balanced", "high"]),
        "isolate_decoders": vol.Boolean(),
        "detector": vol.In(["auto", "openvino", "onnx", "ultralytics", "hog"]),
        "detector_precision": vol.In(["auto", "int8", "bf16", "f32"]),
        "vram_system_gb": _GIGABYTES,
        "vram_face_gb": _GIGABYTES,
        "vram_detector_gb": vol.All(vol.Coerce(float), vol.Range(1, 1024)),
        "vram_buffer_gb": _GIGABYTES,
        "detector_min_score": vol.All(vol.Coerce(float), vol.Range(0.05, 0.95)),
        "confirm_probability": vol.All(vol.Coerce(float), vol.Range(0.5, 0.9999)),
        "retention_days": vol.All(vol.Coerce(float), vol.Range(0.01, 3650)),
        "stranger_days": vol.All(vol.Coerce(float), vol.Range(0.01, 3650)),
        "appearance": vol.Boolean(),
        "retention_max_bytes": vol.All(vol.Coerce(int), vol.Range(min=0)),
        "archive_dir": vol.Any(None, _path),
        "archive_after_days": vol.All(vol.Coerce(float), vol.Range(0.01, 3650)),
        "download_models": vol.Boolean(),
        "log_level": vol.All(vol.Upper, vol.In(["DEBUG", "INFO", "WARNING", "ERROR"])),
        "log_json": vol.Boolean(),
    }
)
OPTION_NAMES = frozenset(field.name for field in fields(Settings))


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force.

    Raises BadInputError that names the option and what it accepts.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    options_file = environment.get(OPTIONS_FILE_VARIABLE)
    if options_file:
        values |= _read_options(Path(options_file))
    for name in OPTION_NAMES:
        text = _from_environment(environment, ENVIRONMENT_PREFIX + name.upper())
        if text:
            values[name] = text
    data_dir = _path(values.get("data_dir") or default_data_dir())
    values["data_dir"] = data_dir
    values.setdefault("media_dir", data_dir / "media")
    try:
        return Settings(**_SCHEMA(values))
    except vol.MultipleInvalid as error:
        first = error.errors[0]
        option = ".".join(str(part) for part in first.path) or "options"
        raise BadInputError(
            f"Setting {option!r} is not usable: {first.error_message}. "
            f"Change it in the options file or in {ENVIRONMENT_PREFIX}{option.upper()}."
        ) from None


def _from_environment(environment: Mapping[str, str], variable: str) -> str | None:
    """Return what a variable says, or the content of the file that its sibling with `_FILE` names."""
    text, file = environment.get(variable), environment.get(variable + FILE_SUFFIX)
    if not file:
        return text
    if text:
        raise BadInputError(f"Both {variable} and {variable}{FILE_SUFFIX} are set: keep one of them.")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadInputError(f"The file {file} that {variable}{FILE_SUFFIX} names cannot be read: {reason}.") from error


def changed_settings(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings with some of them changed; raises BadInputError that names the option and what it accepts."""
    try:
        return replace(settings, **_SCHEMA(dict(values)))
    except vol.MultipleInvalid as error:
        first = error.errors[0]
        option = ".".join(str(part) for part in first.path) or "options"
        raise BadInputError(f"Setting {option!r} is not usable: {first.error_message}.") from None


def _read_options(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text())
    except FileNotFoundError:
        raise BadInputError(f"The options file {path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise BadInputError(f"The options file {path} cannot be read as JSON: {error}.") from error
    if not isinstance(loaded, dict):
        raise BadInputError(f"The options file {path} must hold one JSON object.")
    return loaded
