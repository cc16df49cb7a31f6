"""Cameras: the newest picture, and HLS straight from the backend."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .changes import change_camera
from .client import ApiError, MarengoCamClientError
from .entity import CameraDeviceEntity, add_as_they_come, camera_ids
from .failures import explain
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 0

# A running stream gets a new address this long before the signature of the old one ends.
RENEW_BEFORE = timedelta(minutes=1)
RENEW_AT_LEAST = timedelta(seconds=10)


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a camera entity per camera, now and later."""
    add_as_they_come(entry, async_add_entities, camera_ids, lambda one: [MarengoCamCamera(entry, one)])


class MarengoCamCamera(CameraDeviceEntity, Camera):
    """One camera's picture."""

    _attr_name = None
    _attr_translation_key = "camera"
    _attr_supported_features = CameraEntityFeature.STREAM | CameraEntityFeature.ON_OFF

    def __init__(self, entry: MarengoCamConfigEntry, camera_id: str) -> None:
        CameraDeviceEntity.__init__(self, entry.runtime_data.coordinator, camera_id)
        Camera.__init__(self)
        self._client = entry.runtime_data.client
        self._stop_renewal: Callable[[], None] | None = None

    @property
    def available(self) -> bool:
        # One that was switched off stays available, so that it can be switched on.
        return super().available and (self.camera_state.state != "offline" or not self.camera_state.enabled)

    def facts(self) -> object:
        camera = self.camera_state
        return camera.recording_now, camera.enabled, camera.detect

    @property
    def is_recording(self) -> bool:
        return self.camera_state.recording_now

    @property
    def is_on(self) -> bool:
        return self.camera_state.enabled

    @property
    def motion_detection_enabled(self) -> bool:
        return self.camera_state.detect

    async def async_turn_on(self) -> None:
        """Have the camera recorded and analysed."""
        await change_camera(self.coordinator, self._camera_id, {"enabled": True})

    async def async_turn_off(self) -> None:
        """Leave the camera alone: neither recorded nor analysed."""
        await change_camera(self.coordinator, self._camera_id, {"enabled": False})

    async def async_enable_motion_detection(self) -> None:
        """Have the picture analysed."""
        await change_camera(self.coordinator, self._camera_id, {"detect": True})

    async def async_disable_motion_detection(self) -> None:
        """Only record."""
        await change_camera(self.coordinator, self._camera_id, {"detect": False})

    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Return the newest picture; None while the camera has not sent one."""
        try:
            return await self._client.snapshot(self._camera_id)
        except ApiError as error:
            if error.code == "not_found":
                return None
            raise explain(error, HomeAssistantError) from error
        except MarengoCamClientError as error:
            raise explain(error, HomeAssistantError) from error

    async def stream_source(self) -> str:
        """Return a signed HLS address and see to its renewal."""
        try:
            live = await self._client.live_stream(self._camera_id)
        except MarengoCamClientError as error:
            raise explain(error, HomeAssistantError) from error
        self._end_renewal()
        if live.expires_at is not None:
            renew_at = max(live.expires_at - RENEW_BEFORE, dt_util.utcnow() + RENEW_AT_LEAST)
            self._stop_renewal = async_track_point_in_utc_time(self.hass, self._renew, renew_at)
        return live.url

    async def async_will_remove_from_hass(self) -> None:
        self._end_renewal()
        await super().async_will_remove_from_hass()

    async def _renew(self, _now: datetime) -> None:
        self._stop_renewal = None
        if self.stream is None:
            return
        try:
            self.stream.update_source(await self.stream_source())
        except HomeAssistantError:
            # The backend is away; the stream ends by itself and its next start asks for an address again.
            self.stream = None

    @callback
    def _end_renewal(self) -> None:
        if self._stop_renewal is not None:
            self._stop_renewal()
            self._stop_renewal = None
