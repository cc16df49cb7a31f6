"""What an owner does: cameras, preferences, persons, and words about who is who."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import aiohttp

from .connection import ANSWER_LIMIT_BYTES, Connection, part, read, rfc3339
from .models import Camera, Event, FoundCamera, Person, Preferences, Probe, Streams, Word
from .reading import JsonObject


class OwnerCalls(Connection):
    """Calls that change something."""

    async def cameras(self) -> tuple[Camera, ...]:
        return (await self._json("GET", "/cameras")).objects("cameras", Camera.parse)

    async def add_camera(self, values: Mapping[str, Any]) -> Camera:
        return Camera.parse(await self._json("POST", "/cameras", body=dict(values)))

    async def change_camera(self, camera_id: str, changes: Mapping[str, Any]) -> Camera:
        """Change what is given and leave the rest."""
        return Camera.parse(await self._json("PATCH", f"/cameras/{part(camera_id)}", body=dict(changes)))

    async def remove_camera(self, camera_id: str) -> None:
        await self._done("DELETE", f"/cameras/{part(camera_id)}")

    async def restart_camera(self, camera_id: str) -> None:
        await self._done("POST", f"/cameras/{part(camera_id)}/restart")

    async def probe(self, values: Mapping[str, Any]) -> Probe:
        """Try an address and return what it offers."""
        return Probe.parse(await self._json("POST", "/cameras/probe", body=dict(values), limit_s=self._limits.camera_s))

    async def try_camera(self, camera_id: str) -> tuple[Probe, Probe | None]:
        """Try the addresses of a camera that is added, with its login; return what main and second stream offer."""
        # Both streams are tried one after the other.
        limit_s = 2 * self._limits.camera_s
        answer = await self._json("POST", f"/cameras/{part(camera_id)}/probe", limit_s=limit_s)
        sub = answer.optional("sub", answer.child)
        return Probe.parse(answer.child("main")), Probe.parse(sub) if sub else None

    async def search_cameras(self) -> tuple[FoundCamera, ...]:
        """Return the ONVIF cameras that answer on the backend's network."""
        answer = await self._json("POST", "/discovery/search", body={}, limit_s=self._limits.camera_s)
        return answer.objects("found", FoundCamera.parse)

    async def look_up(self, address: str, username: str | None, password: str | None) -> Streams:
        """Ask one camera by ONVIF for its streams."""
        body = {"address": address, "username": username, "password": password}
        return Streams.parse(await self._json("POST", "/discovery/lookup", body=body, limit_s=self._limits.camera_s))

    async def change_preferences(self, **changes: Any) -> Preferences:
        return Preferences.parse(await self._json("PATCH", "/preferences", body=changes))

    async def mark_moment(self, label: str, camera_id: str | None, at: datetime | None) -> Event:
        """Have a moment marked as an event."""
        body = {"label": label, "camera_id": camera_id, "at": rfc3339(at) if at else None}
        return Event.parse(await self._json("POST", "/events", body=body))

    async def add_person(self, name: str) -> Person:
        return Person.parse(await self._json("POST", "/persons", body={"name": name}))

    async def remove_person(self, person_id: str) -> None:
        """Erase a person and all that tells them."""
        await self._done("DELETE", f"/persons/{part(person_id)}")

    async def merge_persons(self, person_id: str, into: str) -> Word:
        """Say that a person is the same as another, whose name stays."""
        return Word.parse(await self._json("POST", f"/persons/{part(person_id)}/merge", body={"into": into}))

    async def enrol_face(self, person_id: str, picture: bytes) -> Person:
        """Add a picture of somebody's face."""
        form = aiohttp.FormData()
        form.add_field("picture", picture, filename="picture", content_type="application/octet-stream")
        path = f"/persons/{part(person_id)}/faces"
        async with self._answer("POST", path, form=form, limit_s=self._limits.camera_s) as answer:
            return Person.parse(JsonObject.from_text(await read(answer, ANSWER_LIMIT_BYTES), path))

    async def name_tracks(self, local_track_ids: Sequence[str], name: str) -> Word:
        """Say who some tracks are."""
        body = {"local_track_ids": list(local_track_ids), "name": name}
        return Word.parse(await self._json("POST", "/tracks/name", body=body))

    async def name_identity(self, identity_id: str, name: str) -> Person:
        """Say who an individual is, with all that was ever seen of them."""
        return Person.parse(await self._json("POST", f"/identities/{part(identity_id)}/name", body={"name": name}))

    async def deny(self, identity_id: str, person_id: str, local_track_ids: Sequence[str]) -> Word:
        """Say that some tracks of an individual are not that person."""
        body = {"person_id": person_id, "local_track_ids": list(local_track_ids)}
        return Word.parse(await self._json("POST", f"/identities/{part(identity_id)}/deny", body=body))

    async def confirm_tracks(self, local_track_ids: Sequence[str]) -> Word:
        """Say that what was decided on some tracks is right."""
        return Word.parse(await self._json("POST", "/tracks/confirm", body={"local_track_ids": list(local_track_ids)}))
