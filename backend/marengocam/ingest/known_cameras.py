"""The cameras known last, kept beside the data so that recording starts without a database."""

import json
import logging
import os
from pathlib import Path
from uuid import UUID

import msgspec

from marengocam.core.camera_options import Analysis, Recording, Transport
from marengocam.core.errors import StoreError
from marengocam.core.model import Camera, Zone
from marengocam.core.secret import Secret
from marengocam.db.keyring import Keyring
from marengocam.lasting import settle

FILE = "ingest_cameras.json"
_LOG = logging.getLogger(__name__)


class KnownCameras:
    """Reads and writes the file (0600); passwords stay encrypted in it."""

    def __init__(self, data_dir: Path, keyring: Keyring) -> None:
        self._file = data_dir / FILE
        self._keyring = keyring
        self._written: list[Camera] | None = None

    def write(self, cameras: list[Camera]) -> None:
        """Keep the list, if it changed."""
        if cameras == self._written:
            return
        partial = self._file.with_suffix(".partial")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump([self._entry(camera) for camera in cameras], file)
            settle(partial, self._file)  # after a power cut the machine may be back before its database
        except (OSError, StoreError) as error:
            _LOG.warning("the list of cameras cannot be kept for a start without a database: %s", error)
            return
        self._written = cameras

    def read(self) -> list[Camera]:
        """Return the list kept last, empty when there is none."""
        try:
            return [self._camera(entry) for entry in json.loads(self._file.read_text())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, StoreError, msgspec.ValidationError) as error:
            _LOG.warning("the kept list of cameras cannot be read (%s); the database's is waited for", error)
            return []

    def _entry(self, camera: Camera) -> dict[str, object]:
        return {
            "camera_id": camera.camera_id,
            "name": camera.name,
            "main_url": camera.main_url,
            "sub_url": camera.sub_url,
            "username": camera.username,
            "password": self._keyring.lock(camera.password).decode() if camera.password else None,
            "enabled": camera.enabled,
            "detect": camera.detect,
            "restarts": camera.restarts,
            "zones": [
                {"zone_id": str(zone.zone_id), "name": zone.name, "polygon": zone.polygon} for zone in camera.zones
            ],
            "transport": str(camera.transport),
            "recording": msgspec.to_builtins(camera.recording),
            "analysis": msgspec.to_builtins(camera.analysis),
        }

    def _password(self, entry: dict[str, object]) -> Secret | None:
        """Return a camera's password; one that cannot be read must not stop the other cameras' recording."""
        if not entry["password"]:
            return None
        try:
            return self._keyring.unlock(str(entry["password"]).encode())
        except StoreError as error:
            _LOG.warning("camera %s goes without its password: %s", entry["camera_id"], error)
            return None

    def _camera(self, entry: dict[str, object]) -> Camera:
        values = dict(entry)
        del values["password"]
        zones = values.pop("zones")
        assert isinstance(zones, list)
        transport, recording, analysis = (values.pop(name, None) for name in ("transport", "recording", "analysis"))
        return Camera(
            **values,  # type: ignore[arg-type]  # written by _entry above
            password=self._password(entry),
            zones=tuple(
                Zone(UUID(zone["zone_id"]), zone["name"], tuple((float(x), float(y)) for x, y in zone["polygon"]))
                for zone in zones
            ),
            transport=Transport(str(transport or "tcp")),
            recording=msgspec.convert(recording or {}, Recording),
            analysis=msgspec.convert(analysis or {}, Analysis),
        )
