"""`marengocam doctor` on a real hub and media folder."""

from marengocam.check.doctor import doctor
from marengocam.media.store import MARKER, Store


async def test_a_media_folder_without_its_disk_is_told_though_it_can_be_written(hub, hub_settings, capsys):
    store = Store(hub_settings.media_dir)
    store.prepare(await hub.settings_store.installation_id())
    await doctor(hub_settings)
    assert "ok    media disk               is this installation's" in capsys.readouterr().out
    (store.root / MARKER).unlink()
    assert await doctor(hub_settings) == 1
    said = capsys.readouterr().out.splitlines()
    (disk,) = [line for line in said if "media disk" in line]
    assert disk.startswith("fail")
    assert "mount its disk" in disk
