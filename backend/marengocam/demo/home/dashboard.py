"""The demo's dashboard in Home Assistant: cameras, persons, what happened, health."""

from typing import Any

from marengocam.demo.backend import DemoError
from marengocam.demo.home.assistant import HomeAssistant

URL_PATH = "marengocam-demo"
TITLE = "MarengoCam"
LOGBOOK_HOURS = 1
VISITS_SHOWN = 4


def dashboard(entities: list[str]) -> dict[str, Any]:
    """Return the dashboard's configuration for the given entity ids."""

    def of(domain: str) -> list[str]:
        return [name for name in entities if name.startswith(f"{domain}.")]

    pictures = [
        {"type": "picture-entity", "entity": camera, "camera_view": "auto", "show_state": False}
        for camera in of("camera")
    ]
    persons = [name for name in of("event") if name.endswith("_presence")]
    cards: list[dict[str, Any]] = [
        {"type": "custom:marengocam-journeys-card", "title": "Who came", "limit": VISITS_SHOWN},
        {"type": "grid", "columns": 2, "square": False, "cards": pictures},
        *({"type": "custom:marengocam-person-card", "entity": person} for person in persons),
        {"type": "logbook", "title": "What happened", "hours_to_show": LOGBOOK_HOURS, "entities": of("event")},
        {"type": "entities", "title": "People and health", "entities": of("sensor") + of("binary_sensor")},
    ]
    return {"title": TITLE, "views": [{"title": "Home", "path": "home", "cards": cards}]}


async def save_dashboard(home: HomeAssistant, entities: list[str]) -> str:
    """Create or refresh the dashboard; return its address."""
    known = await home.command({"type": "lovelace/dashboards/list"})
    if not any(entry["url_path"] == URL_PATH for entry in known):
        await home.command(
            {
                "type": "lovelace/dashboards/create",
                "url_path": URL_PATH,
                "title": TITLE,
                "mode": "storage",
                "icon": "mdi:cctv",
                "show_in_sidebar": True,
            }
        )
    if not entities:
        raise DemoError("Home Assistant shows no MarengoCam entities: see its log.")
    await home.command({"type": "lovelace/config/save", "url_path": URL_PATH, "config": dashboard(entities)})
    return f"{home.address}/{URL_PATH}/home"
