"""Home Assistant's configuration folder for the demo: its integrations, one automation, our component."""

import json
import shutil
from pathlib import Path

CONFIGURATION = """\
# Made by MarengoCam's demo. `default_config` is not used: parts of it need the internet.
homeassistant:
  name: MarengoCam demo
  time_zone: UTC
  unit_system: metric
  country: GB
  latitude: 51.5
  longitude: 0.0
frontend:
config:
api:
websocket_api:
person:
event:
camera:
stream:
logger:
  default: warning
  logs:
    custom_components.marengocam: info
history:
logbook:
lovelace:
persistent_notification:
automation: !include automations.yaml
"""
AUTOMATION = """\
- id: marengocam_demo_welcome
  alias: Welcome a confirmed person
  triggers:
    - trigger: event
      event_type: marengocam_person_confirmed
  actions:
    - action: persistent_notification.create
      data:
        title: "{{ trigger.event.data.person }} is here"
        message: >-
          Seen on {{ trigger.event.data.camera }}
          ({{ (trigger.event.data.probability * 100) | round(0) }} % sure).
        notification_id: marengocam_welcome
"""


def write_configuration(folder: Path, component: Path, port: int, more: str = "") -> None:
    """Prepare `folder` for `hass`, with `more` lines of YAML; what Home Assistant itself keeps there is left alone."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION + more)
    automations = folder / "automations.yaml"
    if not automations.is_file():  # else its user may have added some
        automations.write_text(AUTOMATION)
    target = folder / "custom_components" / component.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(component, target, ignore=shutil.ignore_patterns("__pycache__"))
    (storage / "http").write_text(json.dumps(_http_store(port)))


def _http_store(port: int) -> dict[str, object]:
    """Return what the HTTP integration keeps: since 2026.10 it takes its port from here, not from YAML."""
    return {
        "version": 2,
        "minor_version": 2,
        "key": "http",
        "data": {
            "stable": {
                "server_port": port,
                "server_host": ["127.0.0.1"],
                "cors_allowed_origins": [],
                "login_attempts_threshold": -1,
                "ip_ban_enabled": True,
                "ssl_profile": "modern",
                "use_x_frame_options": True,
                "created_at": "2026-01-01T00:00:00+00:00",
                "error": None,
                "error_message": None,
            },
            "pending": None,
            "yaml_migration_done": True,
        },
    }
