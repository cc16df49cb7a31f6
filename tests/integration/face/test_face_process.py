"""`marengocam face` as its own process: health, work without models, and a clean end."""

from io import BytesIO

import aiohttp
from tests.support.face_service import end, face_process, health
from tests.support.shared_assets import needed_folder

from marengocam.db.hub import Hub
from marengocam.media.store import Store
from marengocam.settings import Settings


async def test_without_models_it_is_degraded_says_what_to_do_and_ends_when_told(hub_settings: Settings) -> None:
    async with face_process(hub_settings, None) as (process, base), aiohttp.ClientSession() as session:
        report = await health(session, base, "degraded")
        assert "models list" in report["reason"]
        async with session.post(f"{base}/v1/vision/face", data={"image": BytesIO(b"x")}) as reply:
            assert (reply.status, (await reply.json())["success"]) == (200, False)
        assert await end(process) == 0


async def test_with_models_it_is_well_registers_over_http_and_knows_the_face_after_a_restart(
    hub: Hub, hub_settings: Settings
) -> None:
    Store(hub_settings.media_dir).prepare(await hub.settings_store.installation_id())  # as ingest does
    models, faces = needed_folder("models"), needed_folder("faces")
    for task in ("register", "recognize"):
        async with face_process(hub_settings, models) as (process, base), aiohttp.ClientSession() as session:
            report = await health(session, base, "ok")
            assert report["detail"]["model"]
            form = aiohttp.FormData({"userid": "Barack"})
            form.add_field("image", BytesIO((faces / "obama.jpg").read_bytes()), filename="obama.jpg")
            async with session.post(f"{base}/v1/vision/face/{task}", data=form) as reply:
                answer = await reply.json()
            assert answer["success"], answer
            if task == "recognize":
                assert answer["predictions"][0]["userid"] == "Barack"
            assert await end(process) == 0
