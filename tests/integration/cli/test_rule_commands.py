"""Rules on the command line."""

import os
import sys
from zoneinfo import ZoneInfo

import pytest
import yaml

from marengocam.core.clock import SystemClock
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.db.firings import Firing

pytestmark = pytest.mark.timeout(180)  # each command is a Python of its own, and this machine may be busy
ADD = ("rule", "add", "Alice", "person_confirmed", "--person", "Alice", "--mqtt-topic", "home/alice")


@pytest.fixture
def editor(tmp_path, monkeypatch):
    def write(old, new):
        script = tmp_path / "editor.py"
        script.write_text(
            f"import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n"
            f"file.write_text(file.read_text().replace({old!r}, {new!r}))\n"
        )
        monkeypatch.setitem(os.environ, "VISUAL", f"{sys.executable} {script}")

    return write


async def test_a_rule_is_added_shown_edited_rested_and_removed(hub, marengocam, editor) -> None:
    assert await marengocam(*ADD) == (0, "Rule 'Alice' is added.\n", "")
    assert "on  person_confirmed -> mqtt" in (await marengocam("rule", "list"))[1]
    editor("home/alice", "home/front")
    assert (await marengocam("rule", "edit", "Alice"))[1] == "Rule 'Alice' is changed.\n"
    shown = yaml.safe_load((await marengocam("rule", "show", "Alice"))[1])
    assert shown["rules"][0]["actions"] == [{"mqtt": {"topic": "home/front"}}]
    editor("home/front", "home/#")
    status, _, complained = await marengocam("rule", "edit", "Alice")
    assert (status, "actions[0].mqtt.topic" in complained, "Your text is kept in" in complained) == (2, True, True)
    assert (await marengocam("rule", "disable", "Alice"))[1] == "Rule 'Alice' is off.\n"
    assert (await marengocam("rule", "remove", "Alice"))[1] == "Rule 'Alice' is removed.\n"
    assert (await marengocam("rule", "list"))[1] == "No rules.\n"
    assert (await marengocam("rule", "add", "x", "person_unknown"))[0] == 2


async def test_rules_are_exported_imported_and_tried(hub, marengocam, tmp_path) -> None:
    await marengocam(*ADD)
    file = tmp_path / "rules.yaml"
    file.write_text((await marengocam("rule", "export"))[1].replace("Alice", "Bob"))
    assert (await marengocam("rule", "import", str(file)))[1] == "1 rules are imported.\n"
    assert {rule.name for rule in await hub.rules.list()} == {"Alice", "Bob"}
    now = SystemClock().now()
    event = NewEvent(new_id(now), EventType.PERSON_CONFIRMED, now, camera_id="yard", person_name="Bob")
    await hub.events.append([event])
    _, told, _ = await marengocam("rule", "try", str(file), "--days", "1")
    assert told.startswith("Bob: It would have fired once from ")
    assert "person_confirmed  yard  Bob" in told
    assert "not 1 times: another person" in (await marengocam("rule", "try", "Alice"))[1]
    assert (await marengocam("rule", "firings"))[1] == "No rule has fired.\n"
    assert (await marengocam("rule", "secret", "Bob"))[1].startswith("whsec_")
    file.write_text("rules: [{name: x}]")
    assert "Rule 'x': Field 'actions' cannot be used" in (await marengocam("rule", "import", str(file)))[2]


async def test_a_trial_and_firings_are_told_by_the_owners_clock(hub, marengocam, monkeypatch) -> None:
    monkeypatch.setenv("MARENGOCAM_TIME_ZONE", "Asia/Kolkata")
    await marengocam(*ADD)
    now = SystemClock().now()
    event = NewEvent(new_id(now), EventType.PERSON_CONFIRMED, now, camera_id="yard", person_name="Alice")
    (number,) = [one.number for one in await hub.events.append([event])]
    rule = await hub.rules.by_name("Alice")
    firing = Firing(
        firing_id=new_id(now),
        rule_id=rule.rule_id,
        rule_name=rule.name,
        event_number=number,
        event_type=str(event.type),
        occurred_at=now,
        fired_at=now,
    )
    await hub.firings.add(firing)
    shown = now.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(" ", "seconds")
    tried = (await marengocam("rule", "try", "Alice"))[1]
    assert " IST, of one event." in tried
    assert f"  {shown}  person_confirmed  yard  Alice" in tried
    assert (await marengocam("rule", "firings"))[1].startswith(f"{shown}  Alice")
