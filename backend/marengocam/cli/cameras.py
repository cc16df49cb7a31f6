"""Commands about cameras: find, try, add, change, list, remove; and exports of what they recorded."""

import argparse
import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from marengocam.cli.columns import column
from marengocam.cli.moments import TAKES, OwnerClock
from marengocam.cli.opening import Subparsers, opened_hub, password_of, plain_address
from marengocam.core.camera_names import camera_name
from marengocam.core.camera_options import Recording, RecordingMode, Transport
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.core.ids import camera_id_beside, camera_id_from_name
from marengocam.core.model import Camera
from marengocam.core.secret import Secret
from marengocam.settings import Settings

ONVIF = "onvif://"
EXPORT_DEFAULT = timedelta(minutes=5)


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add all commands about cameras."""
    actions = commands.add_parser("camera", help="cameras").add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list").set_defaults(command=list_cameras)
    discover = actions.add_parser("discover", help="search the local network by ONVIF")
    discover.add_argument("--seconds", type=float, default=3.0)
    discover.add_argument("--interface", action="append", help="own IPv4 address to search from; may be repeated")
    discover.set_defaults(command=discover_cameras)
    probe = actions.add_parser("probe")
    probe.add_argument("url", help="rtsp://host/path, or onvif://host to ask the camera for its streams")
    _add_login(probe)
    _add_transport(probe)
    probe.set_defaults(command=probe_camera)
    add = actions.add_parser("add")
    add.add_argument("name")
    add.add_argument("url", help="rtsp://host/path of the main stream, or onvif://host to have the camera tell it")
    _add_login(add)
    _add_options(add)
    add.set_defaults(command=add_camera)
    change = actions.add_parser("set", help="change what is given, leave the rest")
    change.add_argument("camera_id")
    change.add_argument("--name")
    change.add_argument("--url", help="rtsp://host/path of the main stream")
    _add_login(change)
    _add_options(change)
    change.set_defaults(command=change_camera)
    remove = actions.add_parser("remove")
    remove.add_argument("camera_id")
    remove.set_defaults(command=remove_camera)
    export = commands.add_parser("export", help="write a stretch of a camera's recordings into one MP4 file")
    export.add_argument("camera_id")
    export.add_argument("file", type=Path)
    export.add_argument("--from", dest="from_at", help=TAKES)
    export.add_argument("--to", dest="to_at", help=TAKES)
    export.set_defaults(command=export_recording)


def _add_login(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path, help="file that holds the password")


def _add_transport(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transport", choices=[str(one) for one in Transport], help="how RTSP carries its packets")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sub-url", help="smaller stream for analysis")
    _add_transport(parser)
    parser.add_argument("--record", choices=[str(mode) for mode in RecordingMode], help="when it is recorded")
    parser.add_argument("--pre-roll-s", type=float, help="kept before what starts a recording")
    parser.add_argument("--post-roll-s", type=float, help="kept after it")
    parser.add_argument("--sound", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--detect", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--enabled", action=argparse.BooleanOptionalAction, default=None)


async def list_cameras(settings: Settings, _arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        statuses = await hub.cameras.statuses()
        for camera in await hub.cameras.list():
            status = statuses.get(camera.camera_id)
            state = f"{status.state}  {status.reason}" if status else "unknown"
            kept = str(camera.recording.mode)
            print(f"{camera.camera_id:24} {column(camera.name, 24)} {camera.main_url:48} {kept:8} {state}")


async def discover_cameras(settings: Settings, arguments: argparse.Namespace) -> int:
    from marengocam.discovery.search import Neighbourhood, discover  # noqa: PLC0415 - loaded when needed

    del settings
    where = Neighbourhood(interfaces=tuple(arguments.interface)) if arguments.interface else None
    found = await discover(arguments.seconds, where)
    for one in found:
        print(f"{one.host:24} {column(one.name, 24)} {column(one.model or '', 24)} {one.onvif_url}")
    if not found:
        print("no camera answered: ONVIF may be switched off in it, or it is in another network")
    return 0 if found else 1


async def probe_camera(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.media.probe import probe  # noqa: PLC0415 - loaded when needed
    from marengocam.media.stream import StreamOptions  # noqa: PLC0415 - loaded when needed

    del settings
    login = (arguments.username, password_of(arguments))
    if arguments.url.strip().lower().startswith(ONVIF):
        camera = await _asked(arguments.url.strip(), *login)
        print(f"{camera.manufacturer} {camera.model}")
        for profile in camera.profiles:
            use = "main" if profile is camera.main else "sub" if profile is camera.sub else ""
            size = f"{profile.width_px}x{profile.height_px}"
            print(f"{use:5} {column(profile.name, 20)} {profile.codec:6} {size:10} {profile.url}")
        for note in camera.notes:
            print(note)
        return
    options = StreamOptions(*login, transport=Transport(arguments.transport or "tcp"))
    info = await asyncio.to_thread(probe, plain_address(arguments.url), options)
    fps = f"{info.fps:g} fps" if info.fps else "irregular"
    print(f"{info.codec} {info.width_px}x{info.height_px} {fps}, sound: {info.audio or 'none'}")


async def add_camera(settings: Settings, arguments: argparse.Namespace) -> None:
    url, sub_url, password = arguments.url.strip(), arguments.sub_url, password_of(arguments)
    name = camera_name(arguments.name)
    if url.lower().startswith(ONVIF):
        told = await _asked(url, arguments.username, password)
        url, sub_url = told.main.url, sub_url or (told.sub.url if told.sub else None)
        for note in told.notes:
            print(note)
    camera = Camera(
        camera_id=camera_id_from_name(name),
        name=name,
        main_url=plain_address(url),
        sub_url=plain_address(sub_url) if sub_url else None,
        username=arguments.username,
        password=password,
    )
    camera = replace(camera, **_changes(camera, arguments))
    await _check(settings, camera)
    async with opened_hub(settings) as hub:
        names = {one.camera_id: one.name for one in await hub.cameras.list()}
        camera = replace(camera, camera_id=camera_id_beside(camera.name, names))
        await hub.cameras.add(camera)
    print(f"added {camera.camera_id}: {camera.main_url}{f' and {camera.sub_url}' if camera.sub_url else ''}")


async def change_camera(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        camera = await hub.cameras.get(arguments.camera_id)
        changes = _changes(camera, arguments)
        if arguments.name is not None:
            changes["name"] = arguments.name
        if arguments.url is not None:
            changes["main_url"] = plain_address(arguments.url)
        if arguments.sub_url is not None:
            changes["sub_url"] = plain_address(arguments.sub_url) if arguments.sub_url.strip() else None
        if arguments.username is not None:
            changes["username"] = arguments.username or None
        if arguments.password_file is not None:
            changes["password"] = password_of(arguments)
        if not changes:
            raise BadInputError("Nothing to change was given: see `marengocam camera set --help`.")
        changed = replace(camera, **changes)
        await _check(settings, changed)
        await hub.cameras.update(changed)
    print(f"changed {changed.camera_id}")


async def remove_camera(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        await hub.cameras.remove(arguments.camera_id)
    print(f"removed {arguments.camera_id}; its recordings stay until retention takes them")


async def export_recording(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.media.export import export  # noqa: PLC0415 - loaded when needed
    from marengocam.media.runs import recordings_in  # noqa: PLC0415 - loaded when needed
    from marengocam.media.store import Store  # noqa: PLC0415 - loaded when needed

    now = SystemClock().now()
    clock = OwnerClock(settings, now)
    to_at = clock.given(arguments.to_at) or now
    from_at = clock.given(arguments.from_at) or to_at - EXPORT_DEFAULT
    store = Store(settings.media_dir, settings.archive_dir)
    async with opened_hub(settings) as hub:
        await hub.cameras.get(arguments.camera_id)
    files = recordings_in(store, arguments.camera_id, from_at, to_at)
    done = await asyncio.to_thread(export, store, files, from_at, to_at, arguments.file.absolute())
    stretch = f"{clock.told(done.started_at)} to {clock.told(done.ended_at)}"
    print(f"{arguments.file}: {stretch}, {done.size_bytes / 1e6:.1f} MB")
    for gap_from, gap_to in done.gaps:
        print(f"not recorded: {clock.told(gap_from)} to {clock.told(gap_to)}")
    for twice_from, twice_to in done.twice:
        print(f"comes twice: {clock.told(twice_from)} to {clock.told(twice_to)}")


async def _asked(url: str, username: str | None, password: Secret | None) -> Any:
    from marengocam.discovery.addresses import onvif_address  # noqa: PLC0415 - loaded when needed
    from marengocam.discovery.lookup import look_up  # noqa: PLC0415 - loaded when needed
    from marengocam.discovery.soap import Login  # noqa: PLC0415 - loaded when needed

    return await look_up(onvif_address(url), Login(username, password), SystemClock())


def _changes(camera: Camera, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of `_add_options` change of a camera."""
    changes: dict[str, Any] = {
        name: getattr(arguments, name) for name in ("detect", "enabled") if getattr(arguments, name) is not None
    }
    if arguments.transport is not None:
        changes["transport"] = Transport(arguments.transport)
    given = {name: getattr(arguments, name) for name in ("pre_roll_s", "post_roll_s", "sound")}
    recording: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if arguments.record is not None:
        recording["mode"] = RecordingMode(arguments.record)
    if recording:
        changes["recording"] = replace(camera.recording, **recording)
    return changes


async def _check(settings: Settings, camera: Camera) -> None:
    from marengocam.media.destinations import check_destination  # noqa: PLC0415 - loaded when needed

    for url in (camera.main_url, camera.sub_url):
        if url is not None:
            await asyncio.to_thread(check_destination, url, loopback=settings.loopback_cameras)
    checked_recording(camera.recording)
    if camera.recording.mode in {RecordingMode.MOTION, RecordingMode.PERSON} and not camera.detect:
        raise BadInputError("A camera that is not analysed cannot be recorded by what happens: use --detect.")


def checked_recording(recording: Recording) -> Recording:
    """Return it; raises BadInputError for rolls that cannot be kept."""
    if not 0 <= recording.pre_roll_s <= 60:
        raise BadInputError("--pre-roll-s must be 0 to 60.")
    if not 1 <= recording.post_roll_s <= 600:
        raise BadInputError("--post-roll-s must be 1 to 600.")
    return recording
