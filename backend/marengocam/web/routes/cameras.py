"""Cameras: configuration, state, pictures."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from aiohttp import web

from marengocam.core.camera_options import Analysis, Recording, RecordingMode, Transport
from marengocam.core.errors import NotFoundError
from marengocam.core.geometry import Box, polygon_contains
from marengocam.core.ids import camera_id_beside
from marengocam.core.model import Camera, CameraState, Zone
from marengocam.core.preferences import PRIVACY_REASON, in_force
from marengocam.core.secret import Secret
from marengocam.db.cameras import CameraStatus
from marengocam.media.names import live_path
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.camera_addresses import check_leads_to_a_camera, checked_address
from marengocam.web.files import file_answer
from marengocam.web.table import Desk, Route
from marengocam.web.wire import cameras as wire

STALE_STATUS_S = 20.0


async def list_cameras(desk: Desk, _request: web.Request) -> web.Response:
    return told(wire.CameraList(cameras=await _told_all(desk, await desk.hub.cameras.list())))


async def add_camera(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.CameraIn)
    main_url, login = checked_address(desk, body.main_url, "main_url")
    sub_url = checked_address(desk, body.sub_url, "sub_url")[0] if body.sub_url else None
    await check_leads_to_a_camera(desk, main_url=main_url, sub_url=sub_url)
    username = body.username if body.username is not None else login[0]
    password = body.password if body.password is not None else login[1]
    camera = Camera(
        camera_id=body.camera_id or camera_id_beside(body.name, await _names(desk)),
        name=body.name,
        main_url=main_url,
        sub_url=sub_url,
        username=username,
        password=Secret(password) if password else None,
        enabled=body.enabled,
        detect=body.detect,
        transport=Transport(body.transport),
        recording=_recording(body.recording),
        analysis=_analysis(body.analysis),
    )
    _check_modes(camera)
    await desk.hub.cameras.add(camera)
    return told(await _one(desk, camera.camera_id), 201)


async def _names(desk: Desk) -> dict[str, str]:
    return {camera.camera_id: camera.name for camera in await desk.hub.cameras.list()}


async def get_camera(desk: Desk, request: web.Request) -> web.Response:
    return told(await _one(desk, request.match_info["camera_id"]))


async def change_camera(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.CameraChange)
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    changes: dict[str, Any] = {
        name: value
        for name in ("name", "username", "enabled", "detect")
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    if body.main_url is not msgspec.UNSET:
        changes["main_url"], login = checked_address(desk, body.main_url, "main_url")
        if login[0] is not None:
            changes |= {"username": login[0], "password": Secret(login[1]) if login[1] else None}
    if body.sub_url is not msgspec.UNSET:
        changes["sub_url"] = checked_address(desk, body.sub_url, "sub_url")[0] if body.sub_url else None
    await check_leads_to_a_camera(desk, main_url=changes.get("main_url"), sub_url=changes.get("sub_url"))
    if body.password is not msgspec.UNSET:
        changes["password"] = Secret(body.password) if body.password else None
    if body.transport is not msgspec.UNSET:
        changes["transport"] = Transport(body.transport)
    if body.recording is not msgspec.UNSET:
        changes["recording"] = _recording(body.recording)
    if body.analysis is not msgspec.UNSET:
        changes["analysis"] = _analysis(body.analysis)
    changed = replace(camera, **changes)
    _check_modes(changed)
    await desk.hub.cameras.update(changed)
    return told(await _one(desk, camera.camera_id))


async def remove_camera(desk: Desk, request: web.Request) -> web.Response:
    await desk.hub.cameras.remove(request.match_info["camera_id"])
    return web.Response(status=204)


async def set_zones(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.ZonesIn)
    names = [zone.name for zone in body.zones]
    if len(set(names)) != len(names):
        raise InputFieldError("Two zones have the same name.", "zones")
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    # What is drawn anew under the same name is the same zone to whoever refers to it, such as Home Assistant.
    known = {zone.name: zone.zone_id for zone in camera.zones}
    zones = [Zone(known.get(zone.name) or uuid4(), zone.name, tuple(zone.polygon)) for zone in body.zones]
    await desk.hub.cameras.set_zones(camera.camera_id, zones)
    return told(await _one(desk, camera.camera_id))


async def snapshot(desk: Desk, request: web.Request) -> web.StreamResponse:
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    if not in_force([camera], await desk.hub.preferences.get())[0].enabled:
        raise NotFoundError("This camera is switched off.")
    headers = {"Cache-Control": "no-store", "Content-Type": "image/jpeg"}
    missing = "There is no picture of this camera yet: see its state."
    return await file_answer(desk, request, live_path(camera.camera_id), headers, missing)


def _recording(given_options: wire.RecordingIn) -> Recording:
    return msgspec.convert(msgspec.to_builtins(given_options), Recording)


def _analysis(given_options: wire.AnalysisIn) -> Analysis:
    labels = [rule.label for rule in given_options.labels]
    if len(set(labels)) != len(labels):
        raise InputFieldError("A label is named twice.", "analysis.labels")
    return msgspec.convert(msgspec.to_builtins(given_options), Analysis)


def _check_modes(camera: Camera) -> None:
    if camera.recording.mode in {RecordingMode.MOTION, RecordingMode.PERSON} and not camera.detect:
        raise InputFieldError(
            f"Recording only on {camera.recording.mode} needs detection: switch it on, or record always.",
            "recording.mode",
        )


async def restart_camera(desk: Desk, request: web.Request) -> web.Response:
    await desk.hub.cameras.restart(request.match_info["camera_id"])
    return web.Response(status=204)


async def _one(desk: Desk, camera_id: str) -> wire.CameraOut:
    return (await _told_all(desk, [await desk.hub.cameras.get(camera_id)]))[0]


async def _told_all(desk: Desk, cameras: list[Camera]) -> list[wire.CameraOut]:
    statuses, people = await desk.hub.cameras.statuses(), await desk.hub.cameras.open_people()
    last = await desk.hub.cameras.last_people()
    privacy = (await desk.hub.preferences.get()).privacy
    return [
        _told_camera(
            one,
            statuses.get(one.camera_id),
            _People(people.get(one.camera_id, []), *last.get(one.camera_id, (None, None))),
            privacy=privacy,
        )
        for one in cameras
    ]


@dataclass(frozen=True, slots=True)
class _People:
    """Where everybody stands in front of a camera now, and who was seen last."""

    boxes: list[Box | None]
    last_track_id: UUID | None
    last_at: datetime | None


def _told_camera(camera: Camera, status: CameraStatus | None, people: _People, *, privacy: bool) -> wire.CameraOut:
    """Return a camera as the API shows it: what its status says only counts while ingest keeps saying so."""
    state, reason = CameraState.CONNECTING, "Waiting for ingest to take this camera."
    if not camera.enabled:
        state, reason = CameraState.DISABLED, "Switched off by its owner."
    elif privacy:
        state, reason = CameraState.DISABLED, PRIVACY_REASON
    elif status is not None:
        state, reason = status.state, status.reason
        if status.silent_s > STALE_STATUS_S:
            state, reason = CameraState.OFFLINE, "No ingest process serves this camera: see health."
    there = people.boxes if state is CameraState.ONLINE else []
    metrics = status.metrics if status else {}
    return wire.CameraOut(
        camera_id=camera.camera_id,
        name=camera.name,
        enabled=camera.enabled,
        detect=camera.detect,
        main_url=camera.main_url,
        sub_url=camera.sub_url,
        username=camera.username,
        has_password=camera.password is not None,
        zones=[
            wire.ZoneOut(
                zone_id=zone.zone_id,
                name=zone.name,
                polygon=list(zone.polygon),
                open_person_tracks=sum(box is not None and polygon_contains(zone.polygon, box.foot) for box in there),
            )
            for zone in camera.zones
        ],
        transport=camera.transport.value,
        recording=msgspec.convert(msgspec.to_builtins(camera.recording), wire.RecordingOut),
        analysis=msgspec.convert(msgspec.to_builtins(camera.analysis), wire.AnalysisOut),
        state=state.value,
        reason=reason,
        since=status.since if status else None,
        last_packet_at=status.last_packet_at if status else None,
        metrics=metrics,
        open_person_tracks=len(there),
        recording_now=state is CameraState.ONLINE and bool(metrics.get("recording")),
        moving=state is CameraState.ONLINE and bool(metrics.get("moving")),
        last_person_at=people.last_at,
        last_person_track_id=people.last_track_id,
    )


ROUTES = (
    Route("GET", "/cameras", "read", list_cameras, "All cameras", wire.CameraList),
    Route("POST", "/cameras", "write", add_camera, "Add a camera", wire.CameraOut, wire.CameraIn, 201),
    Route("GET", "/cameras/{camera_id}", "read", get_camera, "One camera", wire.CameraOut),
    Route(
        "PATCH", "/cameras/{camera_id}", "write", change_camera, "Change a camera", wire.CameraOut, wire.CameraChange
    ),
    Route(
        "POST",
        "/cameras/{camera_id}/restart",
        "write",
        restart_camera,
        "Begin it anew: reader, files and all",
        status=204,
    ),
    Route("DELETE", "/cameras/{camera_id}", "write", remove_camera, "Remove a camera", status=204),
    Route("PUT", "/cameras/{camera_id}/zones", "write", set_zones, "Set its zones", wire.CameraOut, wire.ZonesIn),
    Route("GET", "/cameras/{camera_id}/snapshot.jpg", "read", snapshot, "Its newest picture", media_type="image/jpeg"),
)
