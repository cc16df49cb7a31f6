"""A server that speaks the backend's contract and misbehaves when told to."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp import WSMsgType, web
from homeassistant.util import dt as dt_util

TOKEN = "mc_" + "t" * 43
INSTALLATION = "5d0e5a0c-4a63-4f0f-9d0f-2f6d2f0b8a01"
PICTURE = b"\xff\xd8\xff\xe0picture\xff\xd9"
AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC).isoformat()


ZONE = {
    "zone_id": str(UUID(int=7)),
    "name": "Path",
    "polygon": [[0, 0], [1, 0], [1, 1]],
    "open_person_tracks": 0,
}
TRACK = str(UUID(int=21))
WORD = str(UUID(int=51))


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
        "zones": [ZONE],
        "state": "online",
        "reason": "",
        "since": AT,
        "last_packet_at": AT,
        "metrics": {},
        "open_person_tracks": 0,
        "transport": "tcp",
        "recording": {"mode": "always", "pre_roll_s": 5.0, "post_roll_s": 10.0, "sound": True},
        "analysis": {
            "labels": [],
            "masks": [],
            "learn_furniture": True,
            "movement": True,
            "faces": True,
            "appearance": True,
        },
        "recording_now": changes.get("state", "online") == "online",
        "moving": False,
        "last_person_at": None,
        "last_person_track_id": None,
    } | changes


def visit(number: int = 31, **changes: Any) -> dict[str, Any]:
    return {
        "visit_id": str(UUID(int=number)),
        "identity_id": str(UUID(int=22)),
        "person_id": str(UUID(int=1)),
        "person_name": "Alice",
        "first_seen_at": AT,
        "last_seen_at": AT,
        "ended": True,
        "path": [{"camera_id": "front", "from_at": AT, "to_at": AT}],
        "local_track_ids": [TRACK],
        "picture_track_id": TRACK,
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
        "last_seen_track_id": None,
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
            "recorded_bytes": 1_500_000_000,
            "recorded_s": 7200.0,
            "oldest_at": AT,
            "database_bytes": 50_000_000,
        },
        "now": dt_util.utcnow().isoformat(),
        "survival_mode": False,
        "survival": {"level": 0, "step": "normal", "reasons": []},
        "face_engine": "ok",
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
    preferences: dict[str, Any] = field(default_factory=lambda: {"privacy": False, "confirm_probability": 0.95})
    gaps: list[dict[str, Any]] = field(default_factory=list)
    visits: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[dict[str, Any]] = field(default_factory=list)
    found: list[dict[str, Any]] = field(default_factory=list)
    queries: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    clip: bytes = b"ftyp" * 1000
    enrolled: list[tuple[str, bytes]] = field(default_factory=list)
    faceless: bool = False  # no picture shows a face
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
        app.router.add_get(api + "/preferences", self._get_preferences)
        app.router.add_patch(api + "/preferences", self._change_preferences)
        app.router.add_get(api + "/gaps", self._gaps)
        app.router.add_get(api + "/visits", self._visits)
        app.router.add_get(api + "/chunks", self._chunks)
        app.router.add_post(api + "/cameras", self._add_camera)
        app.router.add_post(api + "/cameras/probe", self._probe)
        app.router.add_post(api + "/cameras/{camera_id}/probe", self._try)
        app.router.add_patch(api + "/cameras/{camera_id}", self._change_camera)
        app.router.add_delete(api + "/cameras/{camera_id}", self._remove_camera)
        app.router.add_post(api + "/cameras/{camera_id}/restart", self._nothing)
        app.router.add_get(api + "/cameras/{camera_id}/clip.mp4", self._clip)
        app.router.add_post(api + "/discovery/search", self._search)
        app.router.add_post(api + "/discovery/lookup", self._look_up)
        app.router.add_get(api + "/tracks/{track_id}/crop.jpg", self._snapshot)
        app.router.add_get(api + "/persons/{person_id}/picture.jpg", self._snapshot)
        app.router.add_post(api + "/persons", self._add_person)
        app.router.add_delete(api + "/persons/{person_id}", self._remove_person)
        app.router.add_post(api + "/persons/{person_id}/faces", self._enrol)
        app.router.add_post(api + "/persons/{person_id}/merge", self._word)
        app.router.add_post(api + "/identities/{identity_id}/deny", self._word)
        app.router.add_post(api + "/identities/{identity_id}/name", self._name)
        app.router.add_post(api + "/tracks/name", self._word)
        app.router.add_post(api + "/tracks/confirm", self._word)
        app.router.add_post(api + "/events", self._mark)
        app.router.add_post(api + "/replays", self._request_replay)
        app.router.add_post(api + "/cameras/{camera_id}/why", self._request_replay)
        app.router.add_get(api + "/replays/{run_id}", self._replay)
        app.router.add_get(api + "/replays/{run_id}/difference", self._difference)
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
            "local_track_id": TRACK,
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
        if request.path == "/health":  # the process's own, for everybody
            return web.json_response({"status": "ok"})
        path = request.path.removeprefix("/api/v1")
        is_json = request.can_read_body and request.content_type == "application/json"
        self.asked.append((request.method, path, await request.json() if is_json else None))
        self.queries.append((path, dict(request.query)))
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
        if "before" in request.query:
            wanted = (request.query.get("type"), request.query.get("person_id"))
            before = int(request.query["before"])
            page = [
                one
                for one in reversed(self.events)
                if one["number"] < before and (one["type"], one["person_id"]) == wanted
            ][:limit]
        else:
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

    async def _get_preferences(self, _request: web.Request) -> web.Response:
        return web.json_response(self.preferences)

    async def _change_preferences(self, request: web.Request) -> web.Response:
        self.preferences |= await request.json()
        return web.json_response(self.preferences)

    async def _gaps(self, _request: web.Request) -> web.Response:
        return web.json_response({"gaps": self.gaps})

    async def _visits(self, request: web.Request) -> web.Response:
        wanted = request.query.get("person_id")
        found = [one for one in self.visits if wanted in (None, one["person_id"])]
        return web.json_response({"visits": found[: int(request.query["limit"])], "next": None})

    async def _chunks(self, _request: web.Request) -> web.Response:
        return web.json_response({"chunks": self.chunks})

    async def _add_camera(self, request: web.Request) -> web.Response:
        asked = await request.json()
        asked.pop("password", None)
        self.cameras.append(camera(asked["name"].lower().replace(" ", "_"), asked.pop("name"), **asked))
        return web.json_response(self.cameras[-1], status=201)

    async def _change_camera(self, request: web.Request) -> web.Response:
        one = next(one for one in self.cameras if one["camera_id"] == request.match_info["camera_id"])
        one |= {key: value for key, value in (await request.json()).items() if key != "password"}
        return web.json_response(one)

    async def _remove_camera(self, request: web.Request) -> web.Response:
        self.cameras = [one for one in self.cameras if one["camera_id"] != request.match_info["camera_id"]]
        return web.Response(status=204)

    async def _probe(self, _request: web.Request) -> web.Response:
        return web.json_response({"codec": "h264", "width_px": 640, "height_px": 360, "fps": 10.0, "audio": None})

    async def _try(self, request: web.Request) -> web.Response:
        (known,) = [one for one in self.cameras if one["camera_id"] == request.match_info["camera_id"]]
        offer = {"codec": "h264", "width_px": 640, "height_px": 360, "fps": 10.0, "audio": None}
        return web.json_response({"main": offer, "sub": offer if known["sub_url"] else None})

    async def _search(self, _request: web.Request) -> web.Response:
        return web.json_response({"found": self.found})

    async def _look_up(self, _request: web.Request) -> web.Response:
        streams = {"main_url": "rtsp://10.0.0.8/main", "sub_url": "rtsp://10.0.0.8/sub", "profiles": [], "notes": []}
        return web.json_response({"manufacturer": "Acme", "model": "C1"} | streams)

    async def _clip(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.clip, content_type="video/mp4")

    async def _add_person(self, request: web.Request) -> web.Response:
        self.persons.append(person((await request.json())["name"], len(self.persons) + 1))
        return web.json_response(self.persons[-1], status=201)

    async def _remove_person(self, request: web.Request) -> web.Response:
        self.persons = [one for one in self.persons if one["person_id"] != request.match_info["person_id"]]
        return web.Response(status=204)

    async def _enrol(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self.faceless:
            error = {"code": "bad_input", "message": "No face was found.", "field": "picture"}
            return web.json_response({"error": error}, status=400)
        person_id, picture = request.match_info["person_id"], form["picture"]
        assert isinstance(picture, web.FileField)
        self.enrolled.append((person_id, picture.file.read()))
        return web.json_response(next(one for one in self.persons if one["person_id"] == person_id), status=201)

    async def _name(self, request: web.Request) -> web.Response:
        name = (await request.json())["name"]
        known = [one for one in self.persons if one["name"].casefold() == name.casefold()]
        return web.json_response(known[0] if known else person(name, 9))

    async def _word(self, _request: web.Request) -> web.Response:
        return web.json_response({"word_id": WORD, "summary": "Said."})

    async def _mark(self, request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response(self.event("moment_marked", camera_id=asked["camera_id"]), status=201)

    async def _nothing(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _live(self, request: web.Request) -> web.Response:
        path = f"/api/v1/media/live/{request.match_info['camera_id']}/index.m3u8"
        return web.json_response({"url": f"{path}?expires={self.stream_expires}&signature=s%2Bs"})

    async def _request_replay(self, request: web.Request) -> web.Response:
        asked = dict(request.match_info) | await request.json()
        run = asked | {"run_id": str(uuid4()), "source": "", "state": "requested", "reason": "", "report": {}}
        self.replays[run["run_id"]] = run
        return web.json_response(run, status=202)

    async def _difference(self, _request: web.Request) -> web.Response:
        return web.json_response({"summary": "One passage more.", "difference": {"new": 1}})

    async def _replay(self, request: web.Request) -> web.Response:
        run = self.replays[request.match_info["run_id"]]
        following = {"requested": "running", "running": "finished"}
        run["state"] = following.get(run["state"], run["state"])
        if run["state"] == "finished":
            run["report"] = {"tracks": 3}
        return web.json_response(run)
