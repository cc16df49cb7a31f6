"""Who answers, health, tokens."""

from dataclasses import asdict
from typing import Literal

from aiohttp import web

from marengocam import __version__
from marengocam.core.errors import StoreError
from marengocam.core.survival import LADDER
from marengocam.db.health import ServiceHealth
from marengocam.web.answers import given, told
from marengocam.web.query import path_uuid
from marengocam.web.table import Desk, Route
from marengocam.web.wire import models as wire

API_VERSION = 1
LOG_ENTRIES = 50
NEEDED_SERVICES = ("ingest", "resolver", "janitor")


async def info(desk: Desk, _request: web.Request) -> web.Response:
    details = {one.service: one.detail for one in await desk.hub.health.list() if one.status != "gone"}
    ingest, face = details.get("ingest", {}), details.get("face", {})
    return told(
        wire.Info(
            name="MarengoCam",
            version=__version__,
            api_version=API_VERSION,
            installation_id=await desk.hub.settings_store.installation_id(),
            last_event_number=await desk.hub.events.last_number(),
            models=wire.ModelsInUse(
                detector=ingest.get("detector"), face=face.get("model"), appearance=ingest.get("appearance")
            ),
        )
    )


async def health(desk: Desk, _request: web.Request) -> web.Response:
    services = await desk.hub.health.list()
    log = await desk.hub.health.recent(LOG_ENTRIES)
    return told(
        wire.HealthOut(
            status=worst(services),
            services=[_service(one) for one in services],
            now=desk.context.clock.now(),
            survival_mode=any(one.detail.get("survival_mode") for one in services if one.status != "gone"),
            survival=survival(services),
            face_engine=face_engine(services),
            storage=await _storage(desk),
            log=[
                wire.HealthEntryOut(
                    at=one.at, service=one.service, subject=one.subject, level=one.level, message=one.message
                )
                for one in log
            ],
        )
    )


def _service(one: ServiceHealth) -> wire.ServiceOut:
    told = asdict(one)
    del told["silent_s"]
    return wire.ServiceOut(**told)


def worst(services: list[ServiceHealth]) -> Literal["ok", "degraded", "failing"]:
    """Return how the whole is doing: failing when a needed service is gone, degraded when any part is not well."""
    well = {one.service for one in services if one.status in {"ok", "degraded"}}
    if any(name not in well for name in NEEDED_SERVICES):
        return "failing"
    return "ok" if all(one.status == "ok" for one in services) else "degraded"


def face_engine(services: list[ServiceHealth]) -> Literal["off", "ok", "away"]:
    """Return how the face engine is doing, as the ingest processes see it: away when one of them cannot reach it."""
    seen = {one.detail.get("face_engine") for one in services if one.service == "ingest" and one.status != "gone"}
    if seen <= {"off", None}:
        return "off"
    return "ok" if seen <= {"off", None, "closed"} else "away"


def survival(services: list[ServiceHealth]) -> wire.SurvivalOut:
    """Return how much is given up, as the janitor says; that of the worst off where there are several."""
    told_by = [one.detail for one in services if one.service == "janitor" and one.status != "gone"]
    worst_off = max(told_by, key=lambda detail: detail.get("survival_level") or 0, default={})
    return wire.SurvivalOut(
        level=worst_off.get("survival_level") or 0,
        step=worst_off.get("survival_step") or LADDER[0],
        reasons=worst_off.get("survival_reasons") or [],
    )


async def _storage(desk: Desk) -> wire.StorageOut | None:
    try:
        space = await desk.space()
    except StoreError:
        return None
    return wire.StorageOut(
        used_bytes=space.total_bytes - space.free_bytes,
        free_bytes=space.free_bytes,
        total_bytes=space.total_bytes,
        recorded_bytes=await desk.hub.chunks.total_bytes(),
        recorded_s=await desk.hub.chunks.recorded_s(),
        oldest_at=await desk.hub.chunks.oldest_at(),
        database_bytes=await desk.hub.health.database_bytes(),
    )


async def list_tokens(desk: Desk, _request: web.Request) -> web.Response:
    tokens = [
        wire.TokenOut(**(asdict(token) | {"scopes": sorted(token.scopes)})) for token in await desk.hub.tokens.list()
    ]
    return told(wire.TokenList(tokens=tokens))


async def add_token(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.TokenIn)
    made = await desk.hub.tokens.add(body.name, list(body.scopes), desk.context.clock.now())
    return told(wire.TokenMade(token=made), 201)


async def revoke_token(desk: Desk, request: web.Request) -> web.Response:
    token_id = path_uuid(request, "token_id")
    await desk.hub.tokens.revoke(token_id, desk.context.clock.now())
    desk.gate.forget(token_id)
    return web.Response(status=204)


ROUTES = (
    Route("GET", "/info", "read", info, "Who answers here", wire.Info),
    Route("GET", "/health", "read", health, "How the whole is doing", wire.HealthOut),
    Route("GET", "/tokens", "admin", list_tokens, "All tokens", wire.TokenList),
    Route("POST", "/tokens", "admin", add_token, "Make a token", wire.TokenMade, wire.TokenIn, 201),
    Route("DELETE", "/tokens/{token_id}", "admin", revoke_token, "Revoke a token", status=204),
)
