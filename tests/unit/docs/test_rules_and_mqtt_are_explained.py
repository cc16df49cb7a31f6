"""The pages about rules and MQTT say what the code does; their examples can be used."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from marengocam.automation import topics
from marengocam.core.model import Event, EventType
from marengocam.core.rules import template
from marengocam.core.rules.document import rules_from_yaml
from marengocam.core.rules.model import Conditions, Rule
from marengocam.core.rules.schema import ACTIONS, Possible
from marengocam.core.rules.told import EVENT_FIELDS, event_values
from marengocam.db.telling import PersonSeen

DOCS = Path(__file__).resolve().parents[3] / "docs"
RULES = (DOCS / "guide/rules.md").read_text()
MQTT = (DOCS / "ref/mqtt.md").read_text()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = [one for one in re.findall(r"```yaml\n(.*?)```", RULES, re.DOTALL) if "rules:\n" in one]


def rows(section):
    return {
        word for row in re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)
    }


def section(page, title):
    return page.split(f"# {title}\n")[1].split("\n#")[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.split("name: ")[1].splitlines()[0])
def test_the_examples_are_rules(example):
    assert rules_from_yaml(example, [], NOW, Possible())


def test_every_field_condition_action_and_filter_is_explained():
    fields_of_a_rule = {one.name for one in fields(Rule)} - {"rule_id", "created_at", "event_types"} | {"events"}
    assert rows(section(RULES, "Fields")) == fields_of_a_rule
    assert rows(section(RULES, "Conditions")) == {one.name for one in fields(Conditions)}
    actions = section(RULES, "Actions")
    assert rows(actions) == set(ACTIONS)
    for name, kind in ACTIONS.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", actions, re.MULTILINE)
        assert all(one.name in row for one in fields(kind)), name
    (listed,) = re.findall(r"filters\n`([a-z0-9 ]+)`", actions)
    assert sorted(listed.split()) == sorted(template.FILTER_NAMES)


def test_every_topic_and_field_is_explained():
    event = Event(1, UUID(int=1), EventType.PERSON_UNKNOWN, NOW, NOW, camera_id="yard")
    assert rows(section(MQTT, "Events")) == set(EVENT_FIELDS) == set(event_values(event, late=False, names={}))
    person = PersonSeen(UUID(int=1), "Alice", False, None, None, None)
    told = {
        topics.event_topic("marengocam", "<type>"): None,
        topics.camera_topic("marengocam", "<camera_id>"): topics.camera_state("c", "C", None, 0),
        topics.person_topic("marengocam", "<person_id>"): topics.person_state(person, {}),
        topics.health_topic("marengocam"): topics.health_state([], privacy=False),
        topics.status_topic("marengocam"): None,
    }
    explained = dict(re.findall(r"^\| `([^`]+)` \| (?:yes|no) \| (.*) \|$", section(MQTT, "MQTT"), re.MULTILINE))
    assert set(told) == {topic for topic in explained if topic.startswith("marengocam/")}
    for topic, state in told.items():
        if state is not None:
            assert re.findall(r"`(\w+)`", explained[topic]) == list(state)
