"""While the media folder's disk is away nobody is erased or exported without the pictures, and nothing is written."""

import io
import zipfile
from argparse import Namespace
from pathlib import PurePosixPath
from uuid import uuid4

import pytest
from tests.support.resolver_hub import ALICE
from tests.support.resolver_scenes import FACE_MODEL, embedding
from tests.support.web_app import serving_api

from marengocam.cli.chores import export_person
from marengocam.cli.erasing import erase_person
from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.core.model import Camera
from marengocam.media.store import MARKER, Store

NAME = "Alice"


async def enrolled(hub, settings):
    store, now = Store(settings.media_dir), SystemClock().now()
    store.prepare(await hub.settings_store.installation_id())
    person = await hub.persons.add(NAME, now)
    path = PurePosixPath("pictures/persons", str(person.person_id), f"{uuid4()}.jpg")
    store.write_picture(path, b"a face")
    await hub.persons.add_exemplar(person.person_id, embedding(FACE_MODEL, vector=ALICE), now, picture_path=path)
    return person, store.resolve(path)


@pytest.mark.parametrize("marker", [None, str(uuid4())], ids=["not_mounted", "another_s"])
async def test_a_person_is_erased_once_the_disk_is_back_and_not_before(hub, hub_settings, marker):
    person, picture = await enrolled(hub, hub_settings)
    file = hub_settings.media_dir / MARKER
    ours = file.read_text()
    async with serving_api(hub, hub_settings) as api:
        file.unlink() if marker is None else file.write_text(marker)
        status, told = await api.call("DELETE", f"/persons/{person.person_id}")
        assert (status, told["error"]["code"]) == (503, "store_unavailable")
        assert "mount" in told["error"]["message"]
        with pytest.raises(StoreError, match="mount"):
            await erase_person(hub_settings, Namespace(name=NAME, yes=True))
        assert (await hub.persons.by_name(NAME)).person_id == person.person_id
        assert picture.exists()
        file.write_text(ours)
        assert (await api.call("DELETE", f"/persons/{person.person_id}"))[0] == 204
    assert not picture.exists()


async def exported(settings):
    """Have the person exported by the command; return what is in the file."""
    target = settings.data_dir / "person.zip"
    await export_person(settings, Namespace(name=NAME, to=target))
    assert target.stat().st_mode & 0o077 == 0, "faces are in it"
    return zipfile.ZipFile(target).namelist()


async def test_an_export_without_the_pictures_is_not_told_as_a_whole_one(hub, hub_settings):
    person, picture = await enrolled(hub, hub_settings)
    file = hub_settings.media_dir / MARKER
    async with serving_api(hub, hub_settings) as api:
        status, content = await api.call("GET", f"/persons/{person.person_id}/export")
        assert (status, len(zipfile.ZipFile(io.BytesIO(content)).namelist())) == (200, 2)
        assert len(await exported(hub_settings)) == 2
        file.unlink()
        picture.unlink()
        status, told = await api.call("GET", f"/persons/{person.person_id}/export")
        assert (status, "mount" in told["error"]["message"]) == (503, True)
        with pytest.raises(StoreError, match="mount"):
            await exported(hub_settings)


async def test_a_clip_is_not_written_onto_the_disk_under_the_mount_point(hub, hub_settings):
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    async with serving_api(hub, hub_settings) as api:
        (hub_settings.media_dir / MARKER).unlink()
        span = "from_at=2026-06-01T12:00:00Z&to_at=2026-06-01T12:00:09Z"
        status, told = await api.call("GET", f"/cameras/front/clip.mp4?{span}")
        assert (status, "mount" in told["error"]["message"]) == (503, True)
    assert list(hub_settings.media_dir.iterdir()) == []
