"""Calls of the backend's API."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import aiohttp

from .connection import MESSAGE_LIMIT_BYTES, part, refusal, rfc3339, unreachable
from .errors import BackendTooNewError, BackendTooOldError
from .models import EventPage, Health, Info, Person, Preferences, Replay, ReplayDifference, Visit
from .owner import OwnerCalls
from .recordings import RecordingCalls

API_VERSION: Final = 1


class MarengoCamClient(RecordingCalls, OwnerCalls):
    """The API of one backend; every call raises MarengoCamClientError and has a time limit."""

    async def info(self) -> Info:
        """Return who the backend is; raises IncompatibleVersionError when it speaks another API version."""
        source = await self._json("GET", "/info")
        version = source.integer("api_version")
        if version != API_VERSION:
            unfit = BackendTooOldError if version < API_VERSION else BackendTooNewError
            raise unfit(source.text("version"), version, API_VERSION)
        return Info.parse(source)

    async def persons(self) -> tuple[Person, ...]:
        return (await self._json("GET", "/persons")).objects("persons", Person.parse)

    async def health(self) -> Health:
        return Health.parse(await self._json("GET", "/health"))

    async def preferences(self) -> Preferences:
        return Preferences.parse(await self._json("GET", "/preferences"))

    async def events(
        self,
        *,
        after: int | None = None,
        before: int | None = None,
        kind: str | None = None,
        person_id: str | None = None,
        limit: int | None = None,
    ) -> EventPage:
        """Return events numbered higher than `after` in order, or else the newest before `before`, newest first."""
        numbers = {"after": after, "before": before, "limit": limit}
        query = {key: str(value) for key, value in numbers.items() if value is not None}
        return EventPage.parse(await self._json("GET", "/events", query=query | {"type": kind, "person_id": person_id}))

    async def visits(
        self,
        *,
        person_id: str | None = None,
        camera_id: str | None = None,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        unknown: bool = False,
        limit: int = 50,
    ) -> tuple[Visit, ...]:
        """Return visits, newest first; of the last 24 hours unless told otherwise, 31 days at most."""
        query = {
            "person_id": person_id,
            "camera_id": camera_id,
            "from_at": rfc3339(from_at) if from_at else None,
            "to_at": rfc3339(to_at) if to_at else None,
            "unknown": "true" if unknown else None,
            "limit": str(limit),
        }
        return (await self._json("GET", "/visits", query=query)).objects("visits", Visit.parse)

    async def request_replay(
        self,
        camera_id: str,
        from_at: datetime,
        to_at: datetime,
        *,
        debug: bool,
        pace: str,
        overrides: Mapping[str, str],
        models: Sequence[str],
        gallery_at: datetime | None = None,
    ) -> Replay:
        """Ask for a stretch of a camera's recording to be run through the current code once more.

        `overrides` and `models` hold for this run alone, `gallery_at` has it know the persons of that time.
        """
        body: dict[str, Any] = {"camera_id": camera_id, "debug": debug, "pace": pace}
        body |= {"from_at": rfc3339(from_at), "to_at": rfc3339(to_at)}
        body |= {"overrides": dict(overrides), "models": list(models)}
        if gallery_at is not None:
            body["gallery_at"] = rfc3339(gallery_at)
        return Replay.parse(await self._json("POST", "/replays", body=body))

    async def ask_why(
        self, camera_id: str, at: datetime, *, overrides: Mapping[str, str], models: Sequence[str]
    ) -> Replay:
        """Ask for a moment to be explained: what each stage decided, and why."""
        body = {"at": rfc3339(at), "overrides": dict(overrides), "models": list(models)}
        return Replay.parse(await self._json("POST", f"/cameras/{part(camera_id)}/why", body=body))

    async def replay_difference(self, run_id: str) -> ReplayDifference:
        """Return what a finished run saw that live history did not, and the other way round."""
        return ReplayDifference.parse(await self._json("GET", f"/replays/{part(run_id)}/difference"))

    async def replay(self, run_id: str) -> Replay:
        return Replay.parse(await self._json("GET", f"/replays/{part(run_id)}"))

    @asynccontextmanager
    async def event_socket(self, after: int | None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open the event stream from the number after `after`; `EventStream` reads it."""
        url = self._url("/events/stream").with_query({} if after is None else {"after": str(after)})
        try:
            async with asyncio.timeout(self._limits.connect_s):
                socket = await self._session.ws_connect(
                    url,
                    headers=self._headers,
                    heartbeat=self._limits.heartbeat_s,
                    timeout=aiohttp.ClientWSTimeout(ws_close=self._limits.close_s),
                    max_msg_size=MESSAGE_LIMIT_BYTES,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise refusal(error.status, b"") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unreachable(self.address, error) from error
        try:
            yield socket
        finally:
            await socket.close()
