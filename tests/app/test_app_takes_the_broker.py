"""The app takes Home Assistant's broker: automation is restarted for each address, whatever breaks off in between."""

import os

import pytest

from marengocam.app import announce
from marengocam.app.announce import Announcer
from marengocam.app.layout import Layout
from marengocam.core.secret import Secret
from marengocam.settings import Settings

S6 = """#!/bin/sh
echo "$@" >> {log}
test ! -e {broken}
"""


class Supervisor:
    async def mqtt_url(self):
        return Secret("mqtt://me:secret@broker:1883")


@pytest.fixture
def s6(tmp_path, monkeypatch):
    """Stand in for s6-svc with a real program; returns the file that breaks it, and what it was told."""
    program, log, broken = (tmp_path / name for name in ("s6-svc", "told", "broken"))
    program.write_text(S6.format(log=log, broken=broken))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return broken, lambda: log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def announcer(tmp_path, monkeypatch):
    monkeypatch.setattr(announce, "SERVICES", os.getegid())
    layout = Layout(data=tmp_path, run=tmp_path, services=tmp_path)
    layout.mqtt_url.parent.mkdir(parents=True)
    settings = Settings(data_dir=tmp_path, media_dir=tmp_path)
    return lambda: Announcer(Supervisor(), None, settings, layout)


async def take_broker(announcer):
    return await announcer._attempt("MQTT", announcer._take_broker)


async def test_once_for_each_address(announcer, s6):
    _, told = s6
    one = announcer()
    assert await take_broker(one)
    assert await take_broker(one)
    assert len(told()) == 1


async def test_a_restart_that_failed_is_made_up_for_even_by_the_next_announcer(announcer, s6):
    broken, told = s6
    broken.touch()
    assert not await take_broker(announcer()), "it is told, and does not end the announcer"
    broken.unlink()
    after_a_kill = announcer()
    assert await take_broker(after_a_kill)
    assert await take_broker(after_a_kill)
    assert len(told()) == 2
