"""Commands about cameras, run as an owner runs them."""

import pytest
from tests.support.onvif_device import OnvifDevice, serving

from marengocam.core.camera_options import RecordingMode, Transport
from marengocam.core.model import Camera

pytestmark = pytest.mark.timeout(180)  # each command is a Python of its own, and this machine may be busy
MAIN = ("main", "H264", 1920, 1080, "rtsp://10.9.8.7:554/main")
SUB = ("sub", "H264", 640, 360, "rtsp://10.9.8.7:554/sub")


async def test_a_camera_is_added_from_what_it_tells_changed_and_removed(hub, marengocam, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    login = ("--username", "owner", "--password-file", str(secret))
    async with serving(OnvifDevice(profiles=[MAIN, SUB])) as address:
        status, said, _ = await marengocam("camera", "probe", address, *login)
        assert status == 0
        assert "main  main" in said
        options = ("--record", "person", "--pre-roll-s", "3", "--no-sound", "--transport", "udp")
        status, said, complained = await marengocam("camera", "add", "Front Door", address, *login, *options)
        assert status == 0, complained
    camera = await hub.cameras.get("front_door")
    assert (camera.main_url, camera.sub_url) == ("rtsp://127.0.0.1:554/main", "rtsp://127.0.0.1:554/sub")
    assert (camera.transport, camera.recording.mode) == (Transport.UDP, RecordingMode.PERSON)
    assert (camera.recording.pre_roll_s, camera.recording.sound) == (3.0, False)
    assert camera.password is not None
    assert camera.password.reveal() == "s3cret"

    assert (await marengocam("camera", "set", "front_door", "--record", "motion", "--name", "Door"))[0] == 0
    changed = await hub.cameras.get("front_door")
    assert (changed.name, changed.recording.mode, changed.recording.pre_roll_s) == ("Door", RecordingMode.MOTION, 3.0)
    assert "motion" in (await marengocam("camera", "list"))[1]
    assert (await marengocam("camera", "remove", "front_door"))[0] == 0
    assert await hub.cameras.list() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "Front", "rtsp://owner:s3cret@cam/main"), "Give user and password with"),
        (("add", "Front", "rtsp://cam/main", "--pre-roll-s", "900"), "--pre-roll-s must be 0 to 60"),
        (("add", "Front", "rtsp://cam/main", "--record", "motion", "--no-detect"), "use --detect"),
        (("add", "  ", "rtsp://cam/main"), "at least one letter"),
        (("add", "a\nb", "rtsp://cam/main"), "control characters"),
        (("add", "Front", "10.9.8.7:554/main"), "must begin with rtsp://"),
        (("add", "Front", "rtsp://cam/main", "--sub-url", "rtps://cam/sub"), "must begin with rtsp://"),
        (("probe", "rtsp:/10.9.8.7/main"), "must begin with rtsp://"),
        (("probe", "rtsp://"), "must begin with rtsp://"),
        (("probe", "rtsp:///main"), "has no host"),
        (("probe", "rtsp://fd00::7/main"), "IPv6 in brackets"),
        (("probe", "rtsp://owner:s3/cret@10.9.8.7/main"), "cannot be read"),
        (("probe", "10.9.8.7"), "must begin with rtsp://"),
        (("set", "nowhere", "--record", "off"), "no camera"),
        (("probe", "onvif://127.0.0.1:9"), "cannot be reached"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line_without_secrets(hub, marengocam, arguments, sentence):
    status, said, complained = await marengocam("camera", *arguments)
    assert status == 2
    assert sentence in complained
    assert complained.count("\n") == 1
    assert "s3cret" not in said + complained
    assert await hub.cameras.list() == []


async def test_what_was_copied_along_with_an_address_is_left_out(hub, marengocam):
    addresses = (" RTSP://10.9.8.7/main\t", "--sub-url", "  rtsp://10.9.8.7/Sub ")
    status, _, complained = await marengocam("camera", "add", " Yard ", *addresses)
    assert status == 0, complained
    camera = await hub.cameras.get("yard")
    assert (camera.name, camera.main_url, camera.sub_url) == ("Yard", "rtsp://10.9.8.7/main", "rtsp://10.9.8.7/Sub")
    assert (await marengocam("camera", "set", "yard", "--sub-url", ""))[0] == 0
    assert (await hub.cameras.get("yard")).sub_url is None


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"\xef\xbb\xbfs3cr\xc3\xa9t\r\n", "s3cr\u00e9t"), ("s3cret\n".encode("utf-16"), None), (b"s3cr\xe9t\n", None)],
    ids=["Notepad", "PowerShell", "Latin-1"],
)
async def test_a_password_file_of_another_system_is_read_or_told_of(hub, marengocam, tmp_path, content, password):
    secret = tmp_path / "password"
    secret.write_bytes(content)
    status, said, complained = await marengocam(
        "camera", "add", "D", "rtsp://10.9.8.7/main", "--password-file", str(secret)
    )
    assert "s3cr" not in said + complained
    if password is not None:
        assert status == 0, complained
        assert (await hub.cameras.get("d")).password.reveal() == password
    else:
        assert (status, complained.count("\n")) == (2, 1)
        assert "UTF-8" in complained


async def test_a_terminal_that_knows_few_letters_is_told_the_rest(hub, marengocam, monkeypatch):
    await hub.cameras.add(Camera("door", "Haustür 🚪", "rtsp://10.9.8.7/main"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    status, said, complained = await marengocam("camera", "list")
    assert (status, complained) == (0, "")
    assert "Haust?r ?" in said


async def test_the_list_stands_in_columns_in_every_script_and_shows_what_a_terminal_would_obey(hub, marengocam):
    wide = "前门🎥"
    for number, name in enumerate(("Front", wide, "Cafe\u0301", "evil")):
        await hub.cameras.add(Camera(f"camera_{number}", name, "rtsp://cam/main"))
    async with hub.database.connection() as connection:  # such names cannot be given any more
        await connection.execute("UPDATE camera SET name = $1 WHERE name = 'evil'", "evil\x1b[2J")
    _, listed, _ = await marengocam("camera", "list")
    heads = [line.partition("rtsp://")[0] for line in listed.splitlines()]
    cells = [len(head) + sum(letter in wide for letter in head) - head.count("\u0301") for head in heads]
    assert (len(cells), len(set(cells))) == (4, 1), heads
    assert "\x1b" not in listed


async def test_an_export_of_nothing_says_so_and_leaves_no_file(hub, marengocam, tmp_path):
    await marengocam("camera", "add", "Front", "rtsp://cam/main")
    status, _, complained = await marengocam("export", "front", str(tmp_path / "out.mp4"))
    assert status == 2
    assert "Nothing was recorded" in complained
    assert not list(tmp_path.glob("out*"))


async def test_a_camera_on_this_machine_is_added_only_where_that_is_allowed(hub, marengocam):
    status, _, complained = await marengocam("camera", "add", "Own", "rtsp://169.254.169.254/x")
    assert status != 0
    assert "not read from this address" in complained
    assert (await marengocam("camera", "add", "Own", "rtsp://127.0.0.1:8554/x"))[0] == 0
    status, _, _ = await marengocam("camera", "set", "own", "--url", "http://0.0.0.0/x")
    assert status != 0
    assert (await hub.cameras.get("own")).main_url == "rtsp://127.0.0.1:8554/x"
