"""Rules over the API: edited, imported, exported, tried on the past; what became of them."""

import json
from datetime import timedelta
from uuid import uuid4

import yaml
from tests.support.web_app import serving_api

from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.db.firings import Firing, Outcome

RULE = {
    "name": "Alice at the door",
    "events": ["person_confirmed"],
    "conditions": {"persons": ["Alice"]},
    "limit": {"at_most": 1, "per_s": 300.0},
    "actions": [{"mqtt": {"topic": "home/alice"}}],
}


def confirmed(now, age_s, person="Alice"):
    at = now - timedelta(seconds=age_s)
    return NewEvent(new_id(now), EventType.PERSON_CONFIRMED, at, camera_id="yard", person_name=person, probability=0.97)


async def test_a_rule_is_added_changed_and_removed(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        status, made = await api.call("POST", "/rules", RULE)
        assert status == 201
        assert {name: made[name] for name in RULE} | {"limit": RULE["limit"]} == RULE | {"limit": RULE["limit"]}
        path = f"/rules/{made['rule_id']}"
        _, changed = await api.call("PATCH", path, {"enabled": False, "limit": None})
        assert changed == made | {"enabled": False, "limit": None}
        assert (await api.call("GET", path))[1] == changed
        assert (await api.call("GET", "/rules"))[1] == {"rules": [changed]}
        assert (await api.call("POST", "/rules", RULE))[1]["error"]["code"] == "conflict"
        _, secret = await api.call("GET", f"{path}/webhook-secret")
        assert secret["secret"].startswith("whsec_")
        assert (await api.call("DELETE", path))[0] == 204
        assert (await api.call("GET", path))[0] == 404


async def test_what_cannot_be_used_is_named(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for change, field in (
            ({"conditions": {"zune": "x"}}, "conditions.zune"),
            ({"actions": [{"mqtt": {"topic": "a/#"}}]}, "actions[0].mqtt.topic"),
            ({"conditions": {"sun": {"state": "up"}}}, "conditions.sun"),
            ({"colour": "red"}, "colour"),
        ):
            status, answer = await api.call("POST", "/rules", RULE | change)
            assert (status, answer["error"]["code"], answer["error"].get("field")) == (400, "bad_input", field)
        text = json.dumps({"rules": [RULE, RULE | {"name": "b", "events": ["nothing"]}]})
        _, answer = await api.call("POST", "/rules/import", {"yaml": text})
        assert answer["error"]["field"] == "rules[1].events[0]"
        assert (await api.call("GET", "/rules"))[1] == {"rules": []}, "all or none"


async def test_rules_go_out_as_yaml_and_come_back(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, made = await api.call("POST", "/rules", RULE)
        status, text = await api.call("GET", "/rules/export.yaml")
        assert (status, yaml.safe_load(text)) == (200, {"rules": [RULE | {"limit": {"at_most": 1, "per_s": 300.0}}]})
        other = json.dumps({"rules": [RULE | {"late": True}, RULE | {"name": "b"}]})
        _, imported = await api.call("POST", "/rules/import", {"yaml": other})
        assert imported["rules"][0] == made | {"late": True}, "one of a known name is changed"
        await api.call("POST", "/rules/import", {"yaml": text.decode(), "replace_all": True})
        assert (await api.call("GET", "/rules"))[1] == {"rules": [made]}


async def test_one_rule_goes_out_as_yaml_is_read_again_and_errors_name_field_and_line(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, made = await api.call("POST", "/rules", RULE)
        status, text = await api.call("GET", f"/rules/{made['rule_id']}/rule.yaml")
        assert (status, yaml.safe_load(text)) == (200, RULE)
        whole = {name: made[name] for name in made if name not in {"rule_id", "created_at"}}
        indented = "".join(f"  {line}\n" for line in text.decode().splitlines())
        for written in (text.decode(), f"rules:\n-{indented[1:]}", f"-{indented[1:]}"):
            assert await api.call("POST", "/rules/read", {"yaml": written}) == (200, {"rule": whole}), written
        wrong = "name: x\nevents: person_confirmed\nactions:\n- mqtt:\n    topic: a\n- mqtt:\n    topic: b/#\n"
        for written, field, line in (
            (wrong, "actions[1].mqtt.topic", 7),
            (f"rules:\n-{''.join(f'  {one}' for one in wrong.splitlines(True))[1:]}", "actions[1].mqtt.topic", 8),
            ("name: x\nevents: [person_confirmed,\n nothing]\n", "events[1]", 3),
            ("name: x\nevents: person_confirmed\nactions:\n- mqtt: {payload: a}\n", "actions[0].mqtt.topic", 4),
            ("name: x\n  y: [", None, 2),
            ("just a text", None, 1),
            ("rules: [{name: a}, {name: b}]", "rules", 1),
        ):
            status, answer = await api.call("POST", "/rules/read", {"yaml": written})
            error = answer["error"]
            assert (status, error.get("field"), error.get("line")) == (400, field, line), written
        assert len((await api.call("GET", "/rules"))[1]["rules"]) == 1, "nothing was saved"


async def test_a_rule_is_tried_on_the_past(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        # Written as they happened: an event that was late then would be late in the trial as well.
        ages_s = (3 * 86_400, 7000, 3600, 3500, 60)
        await hub.events.append([*(confirmed(now, age) for age in ages_s), confirmed(now, 30, "Bob")])
        async with hub.database.connection() as connection:
            await connection.execute("UPDATE event SET recorded_at = occurred_at + interval '1 second'")
            await connection.execute("UPDATE event SET recorded_at = occurred_at + interval '1 hour' WHERE number = 2")
        _, made = await api.call("POST", "/rules", RULE)
        status, tried = await api.call("POST", f"/rules/{made['rule_id']}/try", {})
        assert status == 200
        assert tried["summary"].startswith("It would have fired 3 times from ")
        assert [one["number"] for one in tried["events"]] == [5, 3, 1]
        assert tried["looked_at"] == 6
        assert tried["reasons"] == {
            "another person": 1,
            "it has fired once within 300 s": 1,
            "the event came late, and this rule does not act on late events": 1,
        }
        anybody = RULE | {"name": "x", "conditions": {}, "limit": None, "late": True}
        span = {"from_at": (now - timedelta(hours=2)).isoformat(), "to_at": now.isoformat()}
        _, tried = await api.call("POST", "/rules/try", {"rule": anybody} | span)
        assert tried["fired"] == 5
        assert len((await api.call("GET", "/rules"))[1]["rules"]) == 1, "nothing was saved"
        assert (await api.call("GET", "/rules/firings"))[1] == {"firings": []}, "and nothing fired"


async def test_firings_are_listed_with_what_became_of_them(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        now, rule_id = api.context.clock.now(), uuid4()
        for number in (1, 2):
            firing = Firing(
                firing_id=uuid4(), rule_id=rule_id, rule_name="r", event_number=number, event_type="person_unknown",
                occurred_at=now, fired_at=now + timedelta(seconds=number),
            )  # fmt: skip
            assert await hub.firings.add(firing)
        outcome = Outcome(place=0, action="mqtt", target="t", state="failed", reason="away", ended_at=now)
        await hub.firings.add_outcomes([(firing.firing_id, outcome)])
        _, listed = await api.call("GET", "/rules/firings?limit=1")
        assert [one["event_number"] for one in listed["firings"]] == [2]
        assert listed["firings"][0]["outcomes"][0]["reason"] == "away"
        _, failed = await api.call("GET", f"/rules/{rule_id}/firings?failed=true")
        assert failed == listed
        assert (await api.call("GET", f"/rules/{uuid4()}/firings"))[1] == {"firings": []}


async def test_reading_rules_takes_more_than_the_scope_read(hub, hub_settings):
    async with serving_api(hub, hub_settings, scopes=("read",)) as api:
        assert (await api.call("GET", "/rules"))[0] == 403
        assert (await api.call("GET", "/rules/firings"))[0] == 200
