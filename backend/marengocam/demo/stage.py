"""Everything the demo runs, started in order and stopped in reverse."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from marengocam.demo.backend import Backend, DemoError, start_backend
from marengocam.demo.home.assistant import HomeAssistant, start_home_assistant
from marengocam.demo.home.dashboard import save_dashboard
from marengocam.demo.processes import Child, free_port, start_child, stop_child
from marengocam.demo.report import Observations
from marengocam.demo.worlds import World

RTSP_PORT = 8554
RTSP_READY_LIMIT_S = 20.0
FACE_READY_LIMIT_S = 40.0
FACE_POLL_S = 0.5
STARTING_SIGNS = ("does not answer", "being loaded")  # of a face engine that is not up yet
PORTRAIT_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

Say = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """The running parts; `home` is None without Home Assistant."""

    backend: Backend
    cameras: Child
    home: HomeAssistant | None
    dashboard_url: str | None


@contextlib.asynccontextmanager
async def set_stage(
    world: World, data: Path, hass: Path | None, component: Path, seen: Observations, say: Say
) -> AsyncIterator[Stage]:
    """Start cameras, backend and Home Assistant (when `hass` is given); stop everything at the end."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        say(f"starting {len(world.cameras)} cameras ({world.title})")
        cameras, addresses = await _start_cameras(world, data)
        stack.push_async_callback(stop_child, cameras)
        say("starting the backend: database, ingest, resolver, automation, face, janitor, web")
        backend = await start_backend(data, {}, session)
        stack.push_async_callback(stop_child, backend.child)
        await _configure_cameras(backend, addresses)
        await _enrol(backend, world, seen, say)
        home, dashboard_url = None, None
        if hass is not None:
            say("starting Home Assistant (the first start takes a while)")
            home = await start_home_assistant(hass, component, data, session)
            stack.push_async_callback(stop_child, home.child)
            await home.add_integration(backend.address, backend.token)
            dashboard_url = await save_dashboard(home, await home.entities())
        yield Stage(backend, cameras, home, dashboard_url)
        say("stopping")


async def _start_cameras(world: World, data: Path) -> tuple[Child, dict[str, str]]:
    port = free_port(RTSP_PORT)
    mounts = [argument for camera in world.cameras for argument in ("--mount", f"{camera.mount}={camera.file}")]
    command = [sys.executable, "-m", "marengocam.demo.rtsp", "--host", "127.0.0.1", "--port", str(port), *mounts]
    child = await start_child("cameras", command, data / "logs" / "cameras.log", {})
    loop = asyncio.get_running_loop()
    deadline = loop.time() + RTSP_READY_LIMIT_S
    while loop.time() < deadline and child.running:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return child, {camera.name: f"rtsp://127.0.0.1:{port}/{camera.mount}" for camera in world.cameras}
        await asyncio.sleep(0.1)
    await stop_child(child)
    raise DemoError(f"The RTSP server did not start:\n{child.last_lines()}")


async def _configure_cameras(backend: Backend, addresses: dict[str, str]) -> None:
    known = {camera["name"]: camera for camera in (await backend.call("GET", "/cameras"))["cameras"]}
    for name in known.keys() - addresses.keys():
        await backend.call("DELETE", f"/cameras/{known[name]['camera_id']}")
    for name, url in addresses.items():
        if name not in known:
            await backend.call("POST", "/cameras", {"name": name, "main_url": url})
        elif known[name]["main_url"] != url:
            await backend.call("PATCH", f"/cameras/{known[name]['camera_id']}", {"main_url": url})


async def _enrol(backend: Backend, world: World, seen: Observations, say: Say) -> None:
    """Enrol the people of whom there is a portrait, as their owner would; go on without faces where none can be had."""
    persons = {person["name"]: person for person in (await backend.call("GET", "/persons"))["persons"]}
    for name, portrait in world.portraits.items():
        person = persons.get(name) or await backend.call("POST", "/persons", {"name": name})
        if not person["faces"]:
            try:
                await _add_face(backend, person["person_id"], portrait)
            except DemoError as error:
                await backend.call("DELETE", f"/persons/{person['person_id']}")
                say(f"{name} is not enrolled: {error}")
                seen.notes.append(f"{name} is not enrolled: {error}")
                continue
        seen.enrolled.append(name)
        say(f"{name} is enrolled from a portrait")


async def _add_face(backend: Backend, person_id: str, portrait: Path) -> None:
    """Post the portrait, waiting a moment for the face engine to start; raises DemoError with the API's reason."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + FACE_READY_LIMIT_S
    while True:
        form = aiohttp.FormData()
        media_type = PORTRAIT_MEDIA_TYPES[portrait.suffix.lower()]
        form.add_field("picture", portrait.read_bytes(), filename=portrait.name, content_type=media_type)
        try:
            await backend.call("POST", f"/persons/{person_id}/faces", data=form)
        except DemoError as error:
            starting = any(sign in str(error) for sign in STARTING_SIGNS)
            if not starting or loop.time() > deadline:
                raise
            await asyncio.sleep(FACE_POLL_S)
        else:
            return
