"""`marengocam doctor`: why does a set-up not work? One line per thing, with the mend."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp

from marengocam.core.errors import MarengoCamError
from marengocam.db.health import ServiceHealth
from marengocam.db.hub import Hub, open_hub
from marengocam.media.mounting import check_ours
from marengocam.media.probe import probe
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions
from marengocam.runtime.service import endpoint_of
from marengocam.settings import Settings
from marengocam.vision.models import Models, Role

CALL_LIMIT = aiohttp.ClientTimeout(total=3)
CAMERA_LIMIT_S = 15.0
BEATS_S = 20.0  # within which a living service gives a sign
LITTLE_SPACE_BYTES = 5 << 30
LITTLE_FILES_SHARE = 0.9  # of the files that a disk can hold
ANY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
State = Literal["ok", "warn", "fail"]
STATES: Mapping[str, State] = {"ok": "ok", "degraded": "warn", "failing": "fail"}
ROLE_TEXTS = {
    Role.DETECTOR: "people are found by OpenCV's built-in detector only: upright, whole, by day",
    Role.FACE_DETECTOR: "no faces are found",
    Role.FACE_EMBEDDING: "faces cannot be told apart; people are named on their pictures",
    Role.APPEARANCE: "people are linked across cameras by colours and textures only",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at."""

    state: State
    subject: str
    text: str


async def doctor(settings: Settings) -> int:
    """Look at everything and print a line each; return 1 when something fails."""
    diagnoses = [_folder("data folder", settings.data_dir), _folder("media folder", settings.media_dir)]
    diagnoses += _space(settings) + _models(settings)
    async with open_hub(settings, "doctor", pool_size=1) as hub:
        diagnoses.append(await _guarded("database", lambda: _database(hub)))
        if diagnoses[-1].state == "ok":
            diagnoses.append(await _guarded("media disk", lambda: _media_disk(hub, settings.media_dir)))
        diagnoses += await _services(settings, await _beating(hub))
        diagnoses += await _cameras(hub)
    for one in diagnoses:
        print(f"{one.state:4}  {one.subject:24} {one.text}")  # noqa: T201 - a command
    return int(any(one.state == "fail" for one in diagnoses))


async def _guarded(subject: str, look: Callable[[], Awaitable[Diagnosis]]) -> Diagnosis:
    try:
        return await look()
    except MarengoCamError as error:
        return Diagnosis("fail", subject, str(error))


def _folder(subject: str, folder: Path) -> Diagnosis:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Diagnosis("ok", subject, f"{folder} can be written")
    except OSError as error:
        return Diagnosis(
            "fail", subject, f"{folder} cannot be written ({error.strerror}): change its owner or choose another"
        )


def _space(settings: Settings) -> list[Diagnosis]:
    try:
        space = Store(settings.media_dir).space()
    except MarengoCamError as error:
        return [Diagnosis("fail", "disk", str(error))]
    free = f"{space.free_bytes / 1e9:.1f} GB free"
    if space.lacks_files and space.used_share > LITTLE_FILES_SHARE:
        few = f"{free}, but room for {space.free_files} more files (inodes) only"
        return [Diagnosis("warn", "disk", f"{few}: recordings will be short; delete small files on it or add a disk")]
    if space.free_bytes < LITTLE_SPACE_BYTES:
        return [Diagnosis("warn", "disk", f"{free}: recordings will be short; lower retention_days or add a disk")]
    return [Diagnosis("ok", "disk", free)]


def _models(settings: Settings) -> list[Diagnosis]:
    models = Models(settings)
    found = []
    for role, without in ROLE_TEXTS.items():
        best = next(
            (f"{spec.name}: {spec.quality}" for spec in models.specs() if spec.role is role and models.find(spec)), None
        )
        name = str(role).replace("_", " ")
        if best is None:
            found.append(Diagnosis("warn", name, f"no model: {without}. See `marengocam models list`"))
        else:
            found.append(Diagnosis("ok", name, best))
    return found


async def _database(hub: Hub) -> Diagnosis:
    await hub.settings_store.installation_id()
    return Diagnosis("ok", "database", "answers")


async def _media_disk(hub: Hub, media_dir: Path) -> Diagnosis:
    """Say whether the right disk is mounted: what lies under a mount point can be written too."""
    await asyncio.to_thread(check_ours, media_dir, await hub.settings_store.installation_id())
    return Diagnosis("ok", "media disk", "is this installation's")


async def _beating(hub: Hub) -> dict[str, ServiceHealth]:
    """Return the last sign of life of each service that gave one lately, wherever it runs."""
    try:
        return {one.service: one for one in await hub.health.list() if one.silent_s < BEATS_S}
    except MarengoCamError:
        return {}


async def _services(settings: Settings, beating: Mapping[str, ServiceHealth]) -> list[Diagnosis]:
    found = []
    async with aiohttp.ClientSession(timeout=CALL_LIMIT) as session:
        for name in ("ingest", "resolver", "automation", "face", "janitor", "web"):
            endpoint = endpoint_of(name, settings)
            try:
                host = "127.0.0.1" if endpoint.host in ANY_ADDRESS else endpoint.host
                async with session.get(f"http://{host}:{endpoint.port}/health") as answer:
                    content = await answer.json()
            except (aiohttp.ClientError, TimeoutError, ValueError):
                found.append(_elsewhere(name, endpoint.port, beating.get(name)))
                continue
            told = content if isinstance(content, dict) else {}  # somebody else may listen there
            found.append(service_diagnosis(name, told.get("status"), str(told.get("reason") or "runs")))
    return found


def _elsewhere(name: str, port: int, beat: ServiceHealth | None) -> Diagnosis:
    """Judge a service that does not answer here: it may run in a container or on a machine of its own."""
    if beat is None:
        return Diagnosis("fail", name, f"does not answer on port {port}: start `marengocam up`")
    place = beat.instance.partition("/")[0]
    return service_diagnosis(name, beat.status, f"{beat.reason or 'runs'} (in {place})")


def service_diagnosis(name: str, status: object, text: str) -> Diagnosis:
    """Judge a service by what it says of itself; whoever says nothing that is known does not do its job."""
    return Diagnosis(STATES.get(str(status), "fail"), name, text)


async def _cameras(hub: Hub) -> list[Diagnosis]:
    try:
        cameras = await hub.cameras.list()
    except MarengoCamError:
        return []
    if not cameras:
        return [Diagnosis("warn", "cameras", "none: add one with `marengocam camera add NAME rtsp://...`")]
    found = []
    for camera in cameras:
        subject = f"camera {camera.camera_id}"
        options = StreamOptions(camera.username, camera.password, camera.transport)
        try:
            async with asyncio.timeout(CAMERA_LIMIT_S):
                info = await asyncio.to_thread(probe, camera.main_url, options)
        except MarengoCamError as error:
            found.append(Diagnosis("fail", subject, str(error)))
        except TimeoutError:
            found.append(Diagnosis("fail", subject, "It sends no video: restart the camera."))
        else:
            found.append(Diagnosis("ok", subject, f"{info.codec} {info.width_px}x{info.height_px}"))
    return found
