"""Cameras, their zones, and how they are doing."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from marengocam.core.camera_names import camera_name
from marengocam.core.camera_options import Analysis, Recording, Transport
from marengocam.core.errors import NotFoundError, StoreError
from marengocam.core.geometry import Box
from marengocam.core.model import Camera, CameraState, Zone
from marengocam.core.secret import Secret
from marengocam.db.database import Connection, Database
from marengocam.db.keyring import Keyring
from marengocam.db.queries import from_json, load, rows, to_json

CHANNEL = "camera"
STATUS_CHANNEL = "camera_status"
_LOG = logging.getLogger(__name__)
_QUERIES = load("cameras")


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """What the ingest process that serves a camera says of it."""

    camera_id: str
    state: CameraState
    reason: str
    since: datetime
    updated_at: datetime
    last_packet_at: datetime | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    silent_s: float = 0.0  # since it was written, by the database's clock: those of hosts differ


class Cameras:
    """`hub.cameras`: every change notifies the channel `camera`."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def open_people(self) -> dict[str, list[Box | None]]:
        """Return where everybody stands who is followed now, None where that is not known, by camera id."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.open_people(connection))
        people: dict[str, list[Box | None]] = {}
        for row in found:
            box = Box(*from_json(row["box"])) if row["box"] else None  # a track without a path is somebody, too
            people.setdefault(row["camera_id"], []).append(box)
        return people

    async def last_people(self) -> dict[str, tuple[UUID, datetime]]:
        """Return the track of whoever was seen last, and when, by camera id; cameras without such a picture lack."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.last_people(connection))
        return {row["camera_id"]: (row["local_track_id"], row["last_seen_at"]) for row in found}

    async def list(self) -> list[Camera]:
        """Return every camera, by name."""
        async with self._database.connection() as connection:
            return [self._camera(row) for row in await rows(_QUERIES.list_cameras(connection))]

    async def get(self, camera_id: str) -> Camera:
        """Return one camera; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.get_camera(connection, camera_id=camera_id)
        if row is None:
            raise NotFoundError(f"There is no camera {camera_id!r}.")
        return self._camera(row)

    async def add(self, camera: Camera) -> None:
        """Add a camera with its zones; raises ConflictError when the id is taken."""
        async with self._database.transaction() as connection:
            await _QUERIES.add_camera(connection, **self._columns(camera))
            await _write_zones(connection, camera.camera_id, camera.zones)
            await _notify(connection, camera.camera_id)

    async def update(self, camera: Camera) -> None:
        """Replace a camera's configuration, zones included; raises NotFoundError."""
        async with self._database.transaction() as connection:
            if await _QUERIES.update_camera(connection, **self._columns(camera)) is None:
                raise NotFoundError(f"There is no camera {camera.camera_id!r}.")
            await _write_zones(connection, camera.camera_id, camera.zones)
            await _notify(connection, camera.camera_id)

    async def remove(self, camera_id: str) -> None:
        """Remove a camera; its recordings stay until retention takes them. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            if await _QUERIES.remove_camera(connection, camera_id=camera_id) is None:
                raise NotFoundError(f"There is no camera {camera_id!r}.")
            await _notify(connection, camera_id)

    async def set_zones(self, camera_id: str, zones: Sequence[Zone]) -> None:
        """Replace the zones of a camera; raises NotFoundError, ConflictError on equal names."""
        await self.get(camera_id)
        async with self._database.transaction() as connection:
            await _write_zones(connection, camera_id, zones)
            await _notify(connection, camera_id)

    async def write_status(self, status: CameraStatus, fence: int | None = None) -> bool:
        """Note how a camera is doing; False, and nothing written, when a fence is given that is not the present one."""
        async with self._database.connection() as connection:
            written = await _QUERIES.write_status(
                connection,
                camera_id=status.camera_id,
                fence=fence,
                state=str(status.state),
                reason=status.reason,
                since=status.since,
                last_packet_at=status.last_packet_at,
                metrics=to_json(status.metrics),
            )
        return written is not None

    async def statuses(self) -> dict[str, CameraStatus]:
        """Return the last status of each camera, by id."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.statuses(connection))
        return {
            row["camera_id"]: CameraStatus(
                **(dict(row) | {"state": CameraState(row["state"]), "metrics": json.loads(row["metrics"])})
            )
            for row in found
        }

    async def restart(self, camera_id: str) -> None:
        """Have a camera begun anew; raises NotFoundError."""
        async with self._database.transaction() as connection:
            if await _QUERIES.restart_camera(connection, camera_id=camera_id) is None:
                raise NotFoundError(f"There is no camera {camera_id!r}.")
            await _notify(connection, camera_id)

    async def tell_change(self, camera_id: str) -> None:
        """Tell whoever waits that a camera's status changed in a way that is worth looking at once."""
        async with self._database.connection() as connection:
            await _QUERIES.notify(connection, channel=STATUS_CHANNEL, payload=camera_id)

    def _columns(self, camera: Camera) -> dict[str, Any]:
        return {
            "camera_id": camera.camera_id,
            "camera_name": camera_name(camera.name),
            "main_url": camera.main_url,
            "sub_url": camera.sub_url,
            "username": camera.username,
            "password_encrypted": self._keyring.lock(camera.password) if camera.password else None,
            "enabled": camera.enabled,
            "detect": camera.detect,
            "transport": str(camera.transport),
            "recording": msgspec.json.encode(camera.recording).decode(),
            "analysis": msgspec.json.encode(camera.analysis).decode(),
        }

    def _camera(self, row: Any) -> Camera:
        return Camera(
            camera_id=row["camera_id"],
            name=row["name"],
            main_url=row["main_url"],
            sub_url=row["sub_url"],
            username=row["username"],
            password=self._password(row["camera_id"], row["password_encrypted"]),
            enabled=row["enabled"],
            detect=row["detect"],
            zones=tuple(
                Zone(UUID(zone["zone_id"]), zone["name"], tuple((float(x), float(y)) for x, y in zone["polygon"]))
                for zone in from_json(row["zones"])
            ),
            transport=Transport(row["transport"]),
            restarts=row["restarts"],
            recording=msgspec.json.decode(row["recording"], type=Recording),
            analysis=msgspec.json.decode(row["analysis"], type=Analysis),
        )

    def _password(self, camera_id: str, encrypted: bytes | None) -> Secret | None:
        """Return a camera's password; one that cannot be read must not hide the cameras from their owner."""
        if encrypted is None:
            return None
        try:
            return self._keyring.unlock(encrypted)
        except StoreError as error:
            _LOG.warning("camera %s goes without its password: %s", camera_id, error)
            return None


async def _write_zones(connection: Connection, camera_id: str, zones: Sequence[Zone]) -> None:
    await _QUERIES.remove_zones(connection, camera_id=camera_id)
    for zone in zones:
        await _QUERIES.add_zone(
            connection, zone_id=zone.zone_id, camera_id=camera_id, zone_name=zone.name, polygon=to_json(zone.polygon)
        )


async def _notify(connection: Connection, camera_id: str) -> None:
    await _QUERIES.notify(connection, channel=CHANNEL, payload=camera_id)
