"""addon/: what the Supervisor reads of the app, and what it makes of it."""

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from marengocam import __version__
from marengocam.app.clusters import BACKUP_DUMP, LIVE, OLD, PARTIAL
from marengocam.app.layout import Layout
from marengocam.app.options import INGRESS_PORT, OPTIONS, WEB_PORT, settings_of
from marengocam.app.watch import PORT as WATCH_PORT
from marengocam.settings import SUPERVISOR, load_settings

ROOT = Path(__file__).resolve().parents[2]
ADDON = ROOT / "addon"
CONFIG: dict[str, Any] = yaml.safe_load((ADDON / "config.yaml").read_text())
LANGUAGES = sorted(path.stem for path in (ROOT / "translations").glob("*.json"))
# supervisor/apps/options.py
SCHEMA_ELEMENT = re.compile(
    r"^(?:bool|email|url|port|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?|int(?:\(-?\d*,-?\d*\))?"
    r"|float(?:\(-?[\d.]*,-?[\d.]*\))?|match\(.*\)|list\(.+\))\??$"
)
# supervisor/apps/validate.py, without what is deprecated there
KNOWN = set(
    re.findall(
        r"\w+",
        """name version slug description arch machine url startup boot init stage ports ports_description watchdog webui
    ingress ingress_port ingress_entry ingress_stream panel_icon panel_title panel_admin homeassistant host_network
    host_pid host_ipc host_uts host_dbus devices udev tmpfs map environment privileged apparmor full_access audio video
    gpio usb uart devicetree kernel_modules realtime hassio_api hassio_role homeassistant_api stdin legacy docker_api
    auth_api services discovery backup_exclude backup_pre backup_post backup options schema image ulimits timeout
    journald breaking_versions""",
    )
)
DANGEROUS = {"BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH", "NET_ADMIN", "NET_RAW", "PERFMON", "SYS_ADMIN",
             "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"}  # fmt: skip


def rating(config: dict[str, Any], *, profile: bool) -> int:
    """Compute the security rating as the Supervisor's `rating_security` (2026) does: 1, not secure, to 8."""
    score = 5
    if config.get("apparmor", True) is False:
        score -= 1
    elif profile:
        score += 1
    open_ports = any(port is not None for port in (config.get("ports") or {}).values())
    if config.get("ingress") or not (config.get("host_network") or open_ports):
        score += 2
    elif config.get("auth_api"):
        score += 1
    privileged = set(config.get("privileged", ()))
    if privileged & DANGEROUS or config.get("kernel_modules"):
        score -= 1
    score -= {"manager": 1, "admin": 2}.get(config.get("hassio_role", "default"), 0)
    score -= bool(config.get("host_network"))
    score -= 2 * bool(config.get("host_pid"))
    score -= bool(config.get("host_uts") and "SYS_ADMIN" in privileged)
    if config.get("docker_api") or config.get("full_access"):
        score = 1
    return max(1, min(8, score))


def test_the_supervisor_rates_the_app_eight_of_eight():
    assert rating(CONFIG, profile=(ADDON / "apparmor.txt").exists()) == 8


@pytest.mark.parametrize(
    ("change", "worth"),
    [
        ({"docker_api": True}, 1),
        ({"host_network": True}, 7),
        ({"privileged": ["NET_ADMIN"]}, 7),
        ({"apparmor": False}, 6),
    ],
)
def test_the_rating_falls_with_every_right_more(change, worth):
    assert rating(CONFIG | change, profile=True) == worth


def test_the_supervisor_knows_every_key_and_every_type_of_option():
    assert set(CONFIG) <= KNOWN
    assert all(SCHEMA_ELEMENT.match(kind) for kind in CONFIG["schema"].values())
    assert set(CONFIG["arch"]) == {"amd64", "aarch64"}
    assert CONFIG["init"] is False
    assert re.fullmatch(r"https?://\[HOST\]:\[PORT:\d+\]/health", CONFIG["watchdog"])
    assert re.fullmatch(r"([\w.-]+/)+[\w-]+", CONFIG["image"])
    assert CONFIG["discovery"] == ["marengocam"]
    assert CONFIG["services"] == ["mqtt:want"]


def test_an_option_is_either_optional_or_has_a_default_and_the_code_knows_it():
    optional = {name for name, kind in CONFIG["schema"].items() if kind.endswith("?")}
    assert set(CONFIG["schema"]) == OPTIONS
    assert set(CONFIG["options"]) == OPTIONS - optional


def test_secrets_are_of_the_password_type():
    assert {name for name, kind in CONFIG["schema"].items() if kind.startswith("password")} == {
        "mqtt_url",
        "database_url",
        "bus_url",
        "face_engines",
    }


def test_the_defaults_are_usable_settings_and_what_the_container_decides_is_set(tmp_path):
    options_file = tmp_path / "options.json"
    options_file.write_text(json.dumps(settings_of(CONFIG["options"], Layout())))
    settings = load_settings({"MARENGOCAM_OPTIONS_FILE": str(options_file)})
    plain = load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path)})
    for name in OPTIONS & set(CONFIG["options"]) - {"media_folder", "retention_max_gb", "faces"}:
        assert getattr(settings, name) == getattr(plain, name), f"{name}: not the same default"
    assert settings.media_dir == Path("/media/marengocam")
    assert settings.ingress_peers == (SUPERVISOR,)
    assert settings.face_bind_host == "127.0.0.1"
    assert not settings.announce


def test_versions_and_ports_are_the_code_s():
    assert CONFIG["version"] == __version__
    assert CONFIG["ingress_port"] == INGRESS_PORT
    assert set(CONFIG["ports"]) == {f"{WEB_PORT}/tcp"}
    assert f"[PORT:{WATCH_PORT}]" in CONFIG["watchdog"]
    dockerfile = (ADDON / "Dockerfile").read_text()
    assert f"ARG BUILD_VERSION={__version__}" in dockerfile
    assert 'io.hass.type="app"' in dockerfile
    assert not (ADDON / "build.yaml").exists()


def test_a_backup_leaves_running_files_out_and_keeps_what_is_needed():
    def kept(path: str) -> bool:
        seen = PurePosixPath("/data/addons/data/local_marengocam", path)
        return not any(seen.match(pattern) for pattern in CONFIG["backup_exclude"])

    assert CONFIG["backup"] == "hot"
    assert not kept(f"postgres/17{LIVE}")
    assert not kept(f"postgres/17{LIVE}{PARTIAL}")
    assert not kept(f"postgres/16{OLD}")
    assert not kept("backup/before-schema-0006.dump")
    for needed in ("postgres/17", f"backup/{BACKUP_DUMP}", "marengocam/secret.key", "marengocam/models/a.onnx",
                   "announce/token", "options.json"):  # fmt: skip
        assert kept(needed), needed
    for command in (CONFIG["backup_pre"], CONFIG["backup_post"]):
        program = ADDON / "rootfs" / command.removeprefix("/")
        assert program.stat().st_mode & 0o111, f"{program} cannot be run"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_and_port_has_a_name_in_every_language(language):
    texts = json.loads((ADDON / "translations" / f"{language}.json").read_text())
    assert set(texts["configuration"]) == OPTIONS
    assert all(entry["name"] and entry["description"] for entry in texts["configuration"].values())
    assert set(texts["network"]) == set(CONFIG["ports"])


def test_the_profile_of_apparmor_can_be_compiled_and_grants_nothing_dangerous():
    profile = ADDON / "apparmor.txt"
    text = profile.read_text()
    assert re.findall(r"^profile (\S+)", text, re.MULTILINE) == [CONFIG["slug"]]
    granted = {name.upper() for name in re.findall(r"^ +capability (\w+),", text, re.MULTILINE)}
    assert granted == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"}
    parser = shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin")
    if parser is None:
        pytest.skip("apparmor_parser is not installed (Debian: apparmor)")
    command = [parser, "--skip-kernel-load", "--skip-cache", "--quiet", str(profile)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_pictures_are_as_the_store_shows_them():
    sizes = {}
    for name in ("icon", "logo"):
        data = (ADDON / f"{name}.png").read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        sizes[name] = struct.unpack("!II", data[16:24])
    assert sizes == {"icon": (128, 128), "logo": (250, 100)}


def test_nothing_else_in_the_repository_looks_like_an_app_to_the_supervisor():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    ).stdout.split("\n")  # fmt: skip
    found = [path for path in listed if re.search(r"(^|/)config\.(ya?ml|json)$", path)]
    assert found == ["addon/config.yaml"]


def test_documents_are_there_and_name_every_option():
    documents = (ADDON / "DOCS.md").read_text()
    missing = [name for name in sorted(OPTIONS) if f"`{name}`" not in documents]
    assert not missing, missing
    assert f"## {__version__}" in (ADDON / "CHANGELOG.md").read_text()
