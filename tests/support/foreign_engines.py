"""Small servers that speak as CompreFace and DeepStack do: routes, fields, statuses and texts as their own.

Neither can be had here. Two pictures show the same face to them when their bytes are the same; a picture that begins
with NO_FACE shows none, one that begins with TWO_FACES two.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer

NO_FACE = b"no face in here"
TWO_FACES = b"two faces in here"
BOX = {"x_min": 10, "y_min": 10, "x_max": 50, "y_max": 60}


class CompreFaceServer:
    """The recognition service of CompreFace 1.2 behind `key`."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.subjects: dict[str, list[bytes]] = {}
        self.away = False
        self.asked: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/v1/recognition/recognize", self._recognise)
        app.router.add_post("/api/v1/recognition/faces", self._add)
        app.router.add_get("/api/v1/recognition/subjects", self._list)
        app.router.add_delete("/api/v1/recognition/subjects/{subject}", self._delete)
        app.middlewares.append(self._guarded)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if self.away:
            return web.Response(status=502, text="Bad Gateway")
        key = request.headers.get("x-api-key")
        if key is None:
            return web.json_response({"message": "Missing header: x-api-key", "code": 20}, status=400)
        try:
            UUID(key)
        except ValueError:
            return web.json_response({"message": "Service API key should be UUID", "code": 26}, status=400)
        if key != self.key:  # told as something that is not there, and with the key itself
            told = {"message": f"Recognition service with API Key {key} not found", "code": 10}
            return web.json_response(told, status=404)
        return await handler(request)

    async def _picture(self, request: web.Request) -> bytes:
        posted = await request.post()
        return posted["file"].file.read()

    async def _recognise(self, request: web.Request) -> web.Response:
        picture = await self._picture(request)
        if picture.startswith(NO_FACE):
            return _no_face()
        scored = [(0.98 if picture in own else 0.05, name) for name, own in self.subjects.items()]
        best = sorted(scored, reverse=True)[: int(request.query.get("prediction_count", "1"))]
        subjects = [{"subject": name, "similarity": score} for score, name in best]
        return web.json_response({"result": [{"box": {**BOX, "probability": 0.99}, "subjects": subjects}]})

    async def _add(self, request: web.Request) -> web.Response:
        picture = await self._picture(request)
        if picture.startswith(NO_FACE):
            return _no_face()
        if picture.startswith(TWO_FACES):
            return web.json_response({"message": "Found more than one face", "code": 31}, status=400)
        subject = request.query["subject"]
        self.subjects.setdefault(subject, []).append(picture)
        return web.json_response({"image_id": str(uuid4()), "subject": subject}, status=201)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"subjects": sorted(self.subjects)})

    async def _delete(self, request: web.Request) -> web.Response:
        subject = request.match_info["subject"]
        if self.subjects.pop(subject, None) is None:
            return web.json_response({"message": f"Subject {subject} not found", "code": 42}, status=404)
        return web.json_response({"subject": subject})


def _no_face() -> web.Response:
    return web.json_response({"message": "No face is found in the given image", "code": 28}, status=400)


class DeepStackServer:
    """DeepStack's face routes, with an API key among the fields; failures come with status 400."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.faces: dict[str, list[bytes]] = {}
        self.away = False

    def app(self) -> web.Application:
        app = web.Application()
        handlers = {
            "recognize": self._recognise,
            "register": self._register,
            "list": self._list,
            "delete": self._delete,
        }
        for name, handler in handlers.items():
            app.router.add_post(f"/v1/vision/face/{name}", handler)
        return app

    async def _form(self, request: web.Request) -> tuple[dict[str, str], list[bytes]]:
        posted = await request.post()
        texts = {name: value for name, value in posted.items() if isinstance(value, str)}
        if self.away:
            raise web.HTTPServiceUnavailable
        if self.key and texts.get("api_key") != self.key:
            raise web.HTTPUnauthorized(text='{"success": false, "error": "Incorrect api key"}')
        return texts, [value.file.read() for value in posted.values() if isinstance(value, web.FileField)]

    async def _recognise(self, request: web.Request) -> web.Response:
        _, (picture,) = await self._form(request)
        if picture.startswith(NO_FACE):
            return web.json_response({"success": True, "predictions": [], "duration": 0})
        name = next((name for name, own in self.faces.items() if picture in own), "unknown")
        seen = {"confidence": 0.9 if name != "unknown" else 0, "userid": name, **BOX}
        return web.json_response({"success": True, "predictions": [seen], "duration": 0})

    async def _register(self, request: web.Request) -> web.Response:
        """One embedding each, the mean of a request's faces: another request about the same takes its place."""
        texts, pictures = await self._form(request)
        shown = [picture for picture in pictures if not picture.startswith(NO_FACE)]
        if not shown:
            told = {"success": False, "error": "no face detected", "code": 400, "duration": 0}
            return web.json_response(told, status=400)
        message = "face updated" if texts["userid"] in self.faces else "face added"
        self.faces[texts["userid"]] = shown
        return web.json_response({"success": True, "message": message, "duration": 0})

    async def _list(self, request: web.Request) -> web.Response:
        await self._form(request)
        return web.json_response({"success": True, "faces": sorted(self.faces), "duration": 0})

    async def _delete(self, request: web.Request) -> web.Response:
        texts, _ = await self._form(request)
        if self.faces.pop(texts["userid"], None) is None:
            told = {"success": False, "error": "invalid userid: userid does not exist", "duration": 0}
            return web.json_response(told, status=400)
        return web.json_response({"success": True, "duration": 0})


@asynccontextmanager
async def served(server: CompreFaceServer | DeepStackServer) -> AsyncIterator[str]:
    """Serve while the block runs; yield host and port."""
    serving = TestServer(server.app())
    await serving.start_server()
    try:
        yield f"{serving.host}:{serving.port}"
    finally:
        await serving.close()
