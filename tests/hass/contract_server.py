"""A server that speaks the backend's contract and misbehaves when told to."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp import WSMsgType, web

TOKEN = "mc_" + "t" * 43
INSTALLATION = "5d0e5a0c-4a63-4f0f-9d0f-2f6d2f0b8a01"
PICTURE = b"\xff\xd8\xff\xe0picture\xff\xd9"
AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC).isoformat()


def camera(camera_id: str = "front", name: str = "Front door", **changes: Any) -> dict[str, Any]:
    return {
        "camera_id": camera_id,
        "name": name,
        "enabled": True,
        "detect": True,
        "main_url": "rtsp://10.0.0.9/main",
        "sub_url": None,
        "username": "viewer",
        "has_password": True,
        "zones": [{"zone_id": str(UUID(int=7)), "name": "Path", "polygon": [[0, 0], [1, 0], [1, 1]]}],
        "state": "online",
        "reason": "",
        "since": AT,
        "last_packet_at": AT,
        "metrics": {},
        "open_person_tracks": 0,
    } | changes


def person(name: str = "Alice", number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "person_id": str(UUID(int=number)),
        "name": name,
        "created_at": AT,
        "faces": 1,
        "last_seen_at": None,
        "last_seen_camera_id": None,
        "last_seen_camera_name": None,
        "last_seen_probability": None,
        "present": False,
        "has_picture": False,
    } | changes


def health(status: str = "ok", **changes: Any) -> dict[str, Any]:
    service = {"service": "ingest", "instance": "one", "status": status, "reason": "", "started_at": AT}
    return {
        "status": status,
        "services": [service | {"heartbeat_at": AT, "detail": {}}],
        "storage": {
            "used_bytes": 2_000_000_000,
            "free_bytes": 8_000_000_000,
            "total_bytes": 10_000_000_000,
            "recorded_s": 7200.0,
        },
        "log": [],
    } | changes


@dataclass
class ContractServer:
    """State that the tests change, and the routes that show it."""

    cameras: list[dict[str, Any]] = field(default_factory=lambda: [camera(), camera("yard", "Back yard")])
    persons: list[dict[str, Any]] = field(default_factory=lambda: [person()])
    health: dict[str, Any] = field(default_factory=health)
    events: list[dict[str, Any]] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
    token: str = TOKEN
    answers: dict[str, web.Response | str] = field(default_factory=dict)  # path -> what is said instead
    pause_s: float = 0.0  # every answer waits this long
    greeting: str = "hello"  # what the event stream begins with: hello, nothing, goodbye or something else
    mute: bool = False  # the WebSocket answers no ping
    stream_expires: str = "4102444800"
    replays: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    resumed_from: list[int | None] = field(default_factory=list)
    picture: bytes | None = PICTURE
    port: int = 0
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(middlewares=[self._gate])
        api = "/api/v1"
        app.router.add_get(api + "/info", self._info)
        app.router.add_get(api + "/cameras", self._cameras)
        app.router.add_get(api + "/persons", self._persons)
        app.router.add_get(api + "/health", self._health)
        app.router.add_get(api + "/events", self._events)
        app.router.add_get(api + "/events/stream", self._stream)
        app.router.add_get(api + "/cameras/{camera_id}/snapshot.jpg", self._snapshot)
        app.router.add_post(api + "/cameras/{camera_id}/stream", self._live)
        app.router.add_post(api + "/replays", self._request_replay)
        app.router.add_get(api + "/replays/{run_id}", self._replay)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.drop_sockets()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def event(self, type_: str = "person_confirmed", **changes: Any) -> dict[str, Any]:
        """Add an event and return it; `send` tells it to who listens."""
        event = {
            "number": len(self.events) + 1,
            "event_id": str(uuid4()),
            "type": type_,
            "occurred_at": AT,
            "recorded_at": AT,
            "late": False,
            "camera_id": "front",
            "camera_name": "Front door",
            "local_track_id": str(UUID(int=21)),
            "identity_id": str(UUID(int=22)),
            "person_id": str(UUID(int=1)),
            "person_name": "Alice",
            "probability": 0.97,
            "zones": ["Path"],
            "data": {},
        } | changes
        self.events.append(event)
        return event

    async def happen(self, type_: str = "person_confirmed", **changes: Any) -> dict[str, Any]:
        event = self.event(type_, **changes)
        await self.say({"kind": "event", "event": event})
        return event

    async def say(self, message: dict[str, Any] | str) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        for socket in list(self.sockets):
            await socket.send_str(text)

    async def changed(self, what: str) -> None:
        await self.say({"kind": "changed", "what": what})

    async def drop_sockets(self) -> None:
        for socket in list(self.sockets):
            await socket.close()

    def refuse(self, path: str, status: int, code: str, message: str = "No.") -> None:
        body = {"error": {"code": code, "message": message}}
        self.answers[path] = web.json_response(body, status=status)

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v1")
        self.asked.append((request.method, path, await request.json() if request.can_read_body else None))
        await asyncio.sleep(self.pause_s)
        if path in self.answers:
            said = self.answers[path]
            if isinstance(said, str):
                return web.Response(text=said, content_type="application/json")
            return web.Response(body=said.body, status=said.status, headers=said.headers)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": {"code": "unauthorized", "message": "Unknown token."}}, status=401)
        return await handler(request)

    async def _info(self, _request: web.Request) -> web.Response:
        models = {"detector": "hog", "face": None, "appearance": "colour"}
        own = {"name": "MarengoCam", "version": "0.1.0", "api_version": 1, "installation_id": INSTALLATION}
        return web.json_response(own | {"last_event_number": len(self.events), "models": models} | self.info)

    async def _cameras(self, _request: web.Request) -> web.Response:
        return web.json_response({"cameras": self.cameras})

    async def _persons(self, _request: web.Request) -> web.Response:
        return web.json_response({"persons": self.persons})

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response(self.health)

    async def _events(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        limit = int(request.query.get("limit", 100))
        page = [event for event in self.events if event["number"] > after][:limit]
        return web.json_response({"events": page, "last_number": len(self.events)})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=not self.mute)
        await socket.prepare(request)
        after = int(request.query["after"]) if "after" in request.query else None
        self.resumed_from.append(after)
        last = self.info.get("last_event_number", len(self.events))
        if self.greeting == "goodbye":
            await socket.close()
            return socket
        if self.greeting != "nothing":
            await socket.send_json({"kind": self.greeting, "last_number": last})
        for event in self.events:
            if after is not None and event["number"] > after:
                await socket.send_json({"kind": "event", "event": event})
        self.sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self.sockets.discard(socket)
        return socket

    async def _snapshot(self, _request: web.Request) -> web.Response:
        if self.picture is None:
            return web.json_response({"error": {"code": "not_found", "message": "No picture yet."}}, status=404)
        return web.Response(body=self.picture, content_type="image/jpeg")

    async def _live(self, request: web.Request) -> web.Response:
        path = f"/api/v1/media/live/{request.match_info['camera_id']}/index.m3u8"
        return web.json_response({"url": f"{path}?expires={self.stream_expires}&signature=s%2Bs"})

    async def _request_replay(self, request: web.Request) -> web.Response:
        asked = await request.json()
        run = asked | {"run_id": str(uuid4()), "source": "", "state": "requested", "reason": "", "report": {}}
        self.replays[run["run_id"]] = run
        return web.json_response(run, status=202)

    async def _replay(self, request: web.Request) -> web.Response:
        run = self.replays[request.match_info["run_id"]]
        following = {"requested": "running", "running": "finished"}
        run["state"] = following.get(run["state"], run["state"])
        if run["state"] == "finished":
            run["report"] = {"tracks": 3}
        return web.json_response(run)
