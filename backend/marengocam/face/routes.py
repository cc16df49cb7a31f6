"""CodeProject.AI's face routes, DeepStack's too: answers of its form, failures as HTTP 200 with success false."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from aiohttp import hdrs, web

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import BadInputError, ConflictError, HubUnavailableError, MarengoCamError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.core.model import Embedding
from marengocam.db.hub import Hub
from marengocam.face.forms import Form
from marengocam.face.forms import read as read_form
from marengocam.face.gallery import UNKNOWN, Gallery, likeness, load_gallery
from marengocam.face.pictures import KeptPictures
from marengocam.media.names import PERSONS, PICTURES
from marengocam.vision.crops import to_jpeg
from marengocam.vision.faces import FaceAnalyser, FaceFound
from marengocam.vision.pictures import decode

PREFIX = "/v1/vision/face"
PINGS = ("/v1/status/ping", "/v1/server/status/ping")  # the second is what CodeProject.AI calls it since 2.6
ENDS = ("", "/")
MAX_WAITING = 16
WORK_LIMIT_S = 10.0
UPLOAD_LIMIT_S = 30.0
LOOK_AGAIN = timedelta(seconds=60)
MAX_PICTURES = 20  # of one registration
MODULE = "MarengoCam Face"
DEEPSTACK_FIELD = "api_key"  # its clients send one, often empty; it is not looked at
UNREAD = Form((), {})


@dataclass(slots=True)
class Engine:
    """What the routes work with; parts are None until they are loaded."""

    analyser: FaceAnalyser | None = None
    pool: Executor | None = None
    hub: Hub | None = None
    pictures: KeptPictures | None = None
    clock: Clock = field(default_factory=SystemClock)
    gallery: Gallery = field(default_factory=Gallery)
    waiting: int = 0
    problem: str = ""


Answer = dict[str, Any]
Work = Callable[[Engine, Form], Awaitable[Answer]]


def add_routes(app: web.Application, engine: Engine) -> None:
    """Add the face routes."""
    works: dict[str, Work] = {
        "": _find,
        "/recognize": _recognise,
        "/recognise": _recognise,
        "/register": _register,
        "/list": _list,
        "/delete": _delete,
        "/match": _match,
    }
    for path, work in works.items():
        handle = _handler(engine, work, path.strip("/") or "detect")
        for end in ENDS:
            app.router.add_post(PREFIX + path + end, handle)
            if work is _list:
                app.router.add_get(PREFIX + path + end, handle)  # some clients read it so

    async def ping(_request: web.Request) -> web.Response:
        return web.json_response({"success": engine.analyser is not None, "moduleName": MODULE})

    for path in PINGS:
        for end in ENDS:
            app.router.add_get(path + end, ping)


async def refresh(engine: Engine) -> None:
    """Read the gallery anew, where faces can be compared; raises HubUnavailableError."""
    if engine.hub is not None and engine.analyser is not None and engine.analyser.model is not None:
        engine.gallery = await load_gallery(engine.hub, engine.analyser.model)


def _handler(engine: Engine, work: Work, command: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        started_s = engine.clock.monotonic_s()
        form = UNREAD
        if hdrs.ORIGIN in request.headers:
            return web.json_response(
                _failure("Pages in a browser are not served: use the API of web.", 403), status=403
            )
        try:
            # A slow sender waits for himself, not in the queue.
            async with asyncio.timeout(UPLOAD_LIMIT_S):
                form = await read_form(request)
            if engine.waiting >= MAX_WAITING:
                return web.json_response(_failure("The engine is busy: try again in a moment.", 503), status=503)
            answer = await _in_queue(engine, work, form)
        except (BadInputError, NotFoundError, ConflictError) as error:
            answer = _failure(str(error), 400)
        except TimeoutError:
            answer = _failure("It took too long: try again, with a smaller picture.", 500)
        except MarengoCamError as error:
            answer = _failure(str(error), 500)
        took_ms = round((engine.clock.monotonic_s() - started_s) * 1000)
        about = {
            "processMs": took_ms,
            "analysisRoundTripMs": took_ms,
            "command": command,
            "moduleId": MODULE.replace(" ", ""),
            "moduleName": MODULE,
            "timestampUTC": format_datetime(engine.clock.now(), usegmt=True),
        }
        answer = {"inferenceMs": took_ms, "code": 200, **answer, **about}
        # DeepStack's clients look at the status alone; CodeProject.AI's take any but 200 for a broken server.
        return web.json_response(answer, status=answer["code"] if DEEPSTACK_FIELD in form.texts else 200)

    return handle


async def _in_queue(engine: Engine, work: Work, form: Form) -> Answer:
    engine.waiting += 1
    try:
        async with asyncio.timeout(WORK_LIMIT_S):
            return await work(engine, form)
    finally:
        engine.waiting -= 1


async def _find(engine: Engine, form: Form) -> Answer:
    least = form.min_confidence
    faces = await _faces(engine, _picture(form))
    return _predictions([_told(face, form) for face in faces if face.score >= least])


async def _recognise(engine: Engine, form: Form) -> Answer:
    least, predictions = form.min_confidence, []
    for face in await _faces(engine, _picture(form)):
        prediction = _told(face, form)
        match = engine.gallery.match(face.embedding) if face.embedding else None
        sure = match is not None and match.confidence >= least
        prediction["userid"] = match.name if match is not None and sure else UNKNOWN
        prediction["confidence"] = match.confidence if match is not None and sure else 0
        predictions.append(prediction)
    return _predictions(predictions)


async def _register(engine: Engine, form: Form) -> Answer:
    name, hub = form.userid, _hub(engine)
    if not form.pictures:
        raise BadInputError("A picture is needed: send it as a file in multipart form data.")
    if len(form.pictures) > MAX_PICTURES:
        raise BadInputError(f"At most {MAX_PICTURES} pictures are taken at once.")
    shown: list[tuple[bytes, Embedding]] = []
    for picture in form.pictures:
        faces = await _faces(engine, picture)
        if not faces:
            continue  # as CodeProject.AI does: of an album, those count that show a face
        if faces[0].embedding is None:
            raise MarengoCamError("Faces cannot be told apart here: no embedding model was found.")
        shown.append((picture, faces[0].embedding))
    if not shown:
        raise BadInputError("No face was found: send a picture that shows the face larger and from the front.")
    if engine.pictures is not None:
        await engine.pictures.check()  # before anybody is added who would be there without a face
    now = engine.clock.now()
    person = await hub.persons.by_name(name) or await hub.persons.called(name, now)
    known = any(one.kind == "face" for one in await hub.persons.exemplars(person.person_id))
    for picture, embedding in shown:
        path = await _keep(engine, person.person_id, picture)
        await hub.persons.add_exemplar(person.person_id, embedding, now, picture_path=path)
    await refresh(engine)
    # A stranger of the days before may be this person, and so may somebody in view.
    await hub.words.enrolled(person.person_id, now)
    await hub.tracks.look_again(now - LOOK_AGAIN)
    message = "face updated" if known else "face added"
    return {"success": True, "message": message, "skipped": len(form.pictures) - len(shown)}


async def _keep(engine: Engine, person_id: UUID, picture: bytes) -> PurePosixPath | None:
    """Keep a registered picture: another model will want to see it again."""
    if engine.pictures is None:
        return None
    path = PurePosixPath(PICTURES, PERSONS, str(person_id), f"{new_id(engine.clock.now())}.jpg")
    content = await asyncio.to_thread(lambda: to_jpeg(decode(picture)))
    await engine.pictures.write(path, content)
    return path


async def embedded(engine: Engine, picture: bytes) -> Embedding | None:
    """Return the largest face of a picture as the present model sees it, None when there is none."""
    faces = await _faces(engine, picture)
    return faces[0].embedding if faces else None


async def _list(engine: Engine, _unused: Form) -> Answer:
    known = await _hub(engine).persons.list()
    return {"success": True, "faces": [one.person.name for one in known if one.faces]}


async def _delete(engine: Engine, form: Form) -> Answer:
    hub = _hub(engine)
    person = await hub.persons.by_name(form.userid)
    if person is not None:  # else it is as asked already, which CodeProject.AI calls a success too
        pictures = await hub.persons.remove_exemplars(person.person_id)
        if engine.pictures is not None:  # the janitor removes what a kill, or a disk that is away, leaves here
            await engine.pictures.delete(pictures)
        await refresh(engine)
    return {"success": True, "message": "face removed"}


async def _match(engine: Engine, form: Form) -> Answer:
    if len(form.pictures) != 2:
        raise BadInputError("Two pictures are needed.")
    first, second = [await _faces(engine, picture) for picture in form.pictures]
    if not first or not second:
        raise BadInputError("No face was found in one of the pictures.")
    one, other = first[0].embedding, second[0].embedding
    if one is None or other is None:
        raise MarengoCamError("Faces cannot be told apart here: no embedding model was found.")
    return {"success": True, "similarity": likeness(one, other)}


async def _faces(engine: Engine, content: bytes) -> list[FaceFound]:
    analyser, pool = engine.analyser, engine.pool
    if analyser is None or pool is None:
        raise MarengoCamError(engine.problem or "The face models are being loaded.")

    def look() -> list[FaceFound]:
        return analyser.faces(decode(content))

    return await asyncio.get_running_loop().run_in_executor(pool, look)


def _picture(form: Form) -> bytes:
    if not form.pictures:
        raise BadInputError("A picture is needed: send it as a file in multipart form data.")
    return form.pictures[0]


def _told(face: FaceFound, form: Form) -> Answer:
    x, y, width, height = face.box_px
    told: Answer = {
        "confidence": face.score,
        "x_min": max(0, round(x)),
        "y_min": max(0, round(y)),
        "x_max": round(x + width),
        "y_max": round(y + height),
    }
    if form.wants_embedding:
        told["quality"] = round(face.quality, 4)
        if face.pose is not None:
            told["pose"] = face.pose.told()
        if face.embedding is not None:
            told |= {"embedding": face.embedding.vector.tolist(), "embedding_model": face.embedding.model}
    return told


def _predictions(predictions: list[Answer]) -> Answer:
    count = len(predictions)
    message = "No faces found" if count == 0 else f"Found {count} face{'s' if count > 1 else ''}"
    return {"success": True, "message": message, "count": count, "predictions": predictions}


def _hub(engine: Engine) -> Hub:
    if engine.hub is None:
        raise HubUnavailableError("The database is not connected yet.")
    return engine.hub


def _failure(message: str, code: int) -> Answer:
    return {"success": False, "error": message, "code": code}
