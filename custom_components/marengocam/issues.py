"""What the owner has to see to, as repair issues that come and go with their cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .client import BackendTooNewError, IncompatibleVersionError
from .const import DOMAIN
from .runtime import MarengoCamConfigEntry
from .state import BackendState

CAMERA_AWAY_FOR: Final = timedelta(minutes=30)
FACES_AWAY_FOR: Final = timedelta(minutes=5)
DISK_FREE_SHARE: Final = 0.12  # survival mode begins at a tenth
CLOCK_OFF_BY: Final = timedelta(seconds=30)
VERSION: Final = "version"
GUIDE: Final = "https://github.com/marengocam/marengocam/blob/main/docs/guide/troubleshooting.md"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to see to; `key` is its text."""

    key: str
    severity: ir.IssueSeverity
    placeholders: Mapping[str, str] = field(default_factory=dict)


def troubles(state: BackendState, now: datetime, faces_away_since: datetime | None) -> dict[str, Trouble]:
    """Return what is to be seen to at a moment, by an id that stays while it lasts."""
    found: dict[str, Trouble] = {}
    for camera in state.cameras.values():
        if camera.state == "offline" and camera.since is not None and now - camera.since >= CAMERA_AWAY_FOR:
            since = dt_util.as_local(camera.since).strftime("%Y-%m-%d %H:%M")
            placeholders = {"camera": camera.name, "since": since, "reason": camera.reason}
            found[f"camera_{camera.camera_id}"] = Trouble("camera_away", ir.IssueSeverity.WARNING, placeholders)
    storage = state.health.storage
    if storage is None:
        found["no_storage"] = Trouble("no_storage", ir.IssueSeverity.CRITICAL)
    elif state.health.survival_mode:
        found["survival_mode"] = Trouble("survival_mode", ir.IssueSeverity.ERROR)
    elif storage.total_bytes and storage.free_bytes / storage.total_bytes < DISK_FREE_SHARE:
        free = f"{storage.free_bytes / 1e9:.0f}"
        found["disk_nearly_full"] = Trouble("disk_nearly_full", ir.IssueSeverity.WARNING, {"free_gb": free})
    if faces_away_since is not None and now - faces_away_since >= FACES_AWAY_FOR:
        found["face_engine_away"] = Trouble("face_engine_away", ir.IssueSeverity.WARNING)
    return found


class Repairs:
    """Keeps an entry's issues equal to its troubles."""

    def __init__(self, hass: HomeAssistant, entry: MarengoCamConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._shown: dict[str, Trouble] = {}
        self._faces_away_since: datetime | None = None

    @callback
    def start(self) -> None:
        """Look now and at every change, until the entry is unloaded."""
        coordinator = self._entry.runtime_data.coordinator
        tell_versions(self._hass, self._entry, None)  # what an earlier attempt to set up found is over
        self._entry.async_on_unload(coordinator.async_add_listener(self._look))
        self._entry.async_on_unload(self._clear)
        self._look()

    @callback
    def _look(self) -> None:
        coordinator = self._entry.runtime_data.coordinator
        if (unfit := _unfit(coordinator.last_exception)) is not None:
            self._show({VERSION: unfit})
            return
        if not coordinator.last_update_success:
            return  # nothing is known now: what was known stays
        now, state = dt_util.utcnow(), coordinator.data
        if state.health.face_engine != "away":
            self._faces_away_since = None
        elif self._faces_away_since is None:
            self._faces_away_since = now
        found = troubles(state, now, self._faces_away_since)
        if coordinator.clock_off > CLOCK_OFF_BY:
            seconds = f"{coordinator.clock_off.total_seconds():.0f}"
            found["clock"] = Trouble("clock_off", ir.IssueSeverity.WARNING, {"seconds": seconds})
        self._show(found)

    @callback
    def _clear(self) -> None:
        self._show({})

    def _show(self, found: dict[str, Trouble]) -> None:
        for name in self._shown.keys() - found.keys():
            ir.async_delete_issue(self._hass, DOMAIN, _issue_id(self._entry, name))
        for name, trouble in found.items():
            if self._shown.get(name) != trouble:
                _tell(self._hass, _issue_id(self._entry, name), trouble)
        self._shown = found


@callback
def tell_versions(hass: HomeAssistant, entry: MarengoCamConfigEntry, error: BaseException | None) -> None:
    """Tell that an entry cannot be set up because the two sides do not fit, or no longer tell it."""
    unfit = _unfit(error)
    if unfit is None:
        ir.async_delete_issue(hass, DOMAIN, _issue_id(entry, VERSION))
    else:
        _tell(hass, _issue_id(entry, VERSION), unfit)


def _tell(hass: HomeAssistant, issue_id: str, trouble: Trouble) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        learn_more_url=GUIDE,
        severity=trouble.severity,
        translation_key=trouble.key,
        translation_placeholders=dict(trouble.placeholders) or None,
    )


def _issue_id(entry: MarengoCamConfigEntry, name: str) -> str:
    return f"{entry.entry_id}_{name}"


def _unfit(error: BaseException | None) -> Trouble | None:
    """Return which side is to be updated when an update failed because their versions do not fit."""
    while error is not None and not isinstance(error, IncompatibleVersionError):
        error = error.__cause__
    if error is None:
        return None
    if isinstance(error, BackendTooNewError):
        return Trouble("integration_too_old", ir.IssueSeverity.ERROR)
    return Trouble("backend_too_old", ir.IssueSeverity.ERROR)
