"""A person, and a kept test, are not erased while their pictures lie on a disk that is away: they would come back."""

from argparse import Namespace
from pathlib import PurePosixPath
from uuid import uuid4

import pytest
from tests.support.resolver_hub import ALICE
from tests.support.resolver_scenes import FACE_MODEL, embedding
from tests.support.web_app import serving_api

from marengocam.cli.chores import erase_person
from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
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
