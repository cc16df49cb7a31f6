"""Rules as documents: what cannot be used is named, what can comes back as it was."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.rules.document import rules_from_yaml, rules_yaml
from marengocam.core.rules.schema import Possible, RuleFieldError, rule_document, rule_from

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANY = Possible()
SIMPLE = {"name": "r", "events": ["person_confirmed"], "actions": [{"mqtt": {"topic": "home/x"}}]}
WHOLE = {
    "name": "Everything",
    "events": ["person_unknown", "zone_entered"],
    "enabled": False,
    "late": True,
    "conditions": {
        "persons": ["Alice"], "identity": ["unknown"], "cameras": ["yard"], "zones": ["Path"], "labels": ["person"],
        "min_probability": 0.5, "max_probability": 0.9, "time": {"after": "22:00:00", "before": "06:00:00"},
        "sun": {"after": "sunset", "after_offset_min": -30.0}, "weekdays": ["mon"],
        "presence": {"absent": ["Bob"], "anybody": False}, "dwell_s": 20.0,
    },
    "limit": {"at_most": 1, "per_s": 300.0, "by": "camera"},
    "actions": [
        {"mqtt": {"topic": "home/{{ event.camera_id }}", "payload": {"who": "{{ event.person }}"}, "retain": True}},
        {"webhook": {"url": "https://example.org/hook?key=1", "body": {"n": "{{ event.number }}"}}},
        {"home_assistant": {"name": "alice_home", "data": {"camera": "{{ event.camera }}"}}},
        {"keep_clip": {"label": "{{ event.person }}", "before_s": 5.0, "after_s": 30.0}},
        {"record": {"duration_s": 60.0, "cameras": ["yard", "door"]}},
        {"privacy": {"enabled": False}},
    ],
}  # fmt: skip


def made(document, possible=ANY):
    return rule_from(document, UUID(int=1), NOW, possible)


def test_a_rule_comes_back_as_it_was_written():
    assert rule_document(made(WHOLE)) == WHOLE
    assert rule_document(made(SIMPLE)) == SIMPLE


def test_one_entry_needs_no_list_and_yaml_times_are_times():
    short = SIMPLE | {"events": "person_confirmed", "conditions": {"persons": "Alice", "time": {"after": 1320}}}
    assert rule_document(made(short))["conditions"] == {"persons": ["Alice"], "time": {"after": "22:00:00"}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"events": []}, "events"),
        ({"events": ["person_confused"]}, "events[0]"),
        ({"events": ["rule_fired"]}, "events[0]"),
        ({"actions": []}, "actions"),
        ({"colour": "red"}, "colour"),
        ({"late": "yes"}, "late"),
        ({"conditions": {"zune": "x"}}, "conditions.zune"),
        ({"conditions": {"min_probability": 2}}, "conditions.min_probability"),
        ({"conditions": {"min_probability": True}}, "conditions.min_probability"),
        ({"conditions": {"time": {"after": "25:00"}}}, "conditions.time.after"),
        ({"conditions": {"time": {}}}, "conditions.time"),
        ({"conditions": {"sun": {"after_offset_min": 5}}}, "conditions.sun"),
        ({"conditions": {"weekdays": ["someday"]}}, "conditions.weekdays[0]"),
        ({"conditions": {"dwell_s": 0}}, "conditions.dwell_s"),
        ({"conditions": {"labels": ["unicorn"]}}, "conditions.labels[0]"),
        ({"limit": {"at_most": 1}}, "limit.per_s"),
        ({"actions": [{"mqtt": {"topic": "a/#"}}]}, "actions[0].mqtt.topic"),
        ({"actions": [{"mqtt": {"topic": "a", "payload": "{{ evnt }}"}}]}, "actions[0].mqtt.payload"),
        ({"actions": [{"mqtt": {"topic": "a", "payload": [{"x": "{{ event.persn }}"}]}}]}, "actions[0].mqtt.payload"),
        ({"actions": [{"webhook": {"url": "file:///etc/passwd"}}]}, "actions[0].webhook.url"),
        ({"actions": [{"webhook": {"url": "https://me:pw@example.org"}}]}, "actions[0].webhook.url"),
        ({"actions": [{"mqtt": {"topic": "a"}, "privacy": {"enabled": True}}]}, "actions[0]"),
        ({"actions": [{"home_assistant": {"name": "No good"}}]}, "actions[0].home_assistant.name"),
        ({"actions": [{"record": {}}]}, "actions[0].record.duration_s"),
    ],
)
def test_what_cannot_be_used_is_named(change, field):
    with pytest.raises(RuleFieldError) as refused:
        made(SIMPLE | change)
    assert refused.value.field == field
    assert "pw" not in str(refused.value)


def test_the_sun_needs_a_place():
    with pytest.raises(RuleFieldError, match="latitude and longitude"):
        made(SIMPLE | {"conditions": {"sun": {"state": "up"}}}, Possible(location=False))


def test_rules_go_to_yaml_and_back_and_keep_their_ids_by_name():
    rules = [made(WHOLE), rule_from(SIMPLE, UUID(int=2), NOW, ANY)]
    assert rules_from_yaml(rules_yaml(rules), rules, NOW, ANY) == rules
    assert rules_from_yaml(rules_yaml(rules), [], NOW, ANY)[0].rule_id != rules[0].rule_id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [{name: x}]", "Rule 'x': Field 'actions' cannot be used: it is missing"),
        ("rules:\n- name: a\n  name: b\n", "'name' stands twice in line 2"),
        ("a: &a [1]\nrules: *a", "aliases"),
        ("rules: {", "no usable YAML"),
        ("hello", "a list of at most"),
        ("rules: !!python/object/apply:os.system ['true']", "no usable YAML"),
        (yaml.safe_dump({"rules": [SIMPLE]}) + yaml.safe_dump([SIMPLE]), "Two rules are called 'r'"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text, said):
    with pytest.raises(RuleFieldError) as refused:
        rules_from_yaml(text, [], NOW, ANY)
    assert said in str(refused.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*SIMPLE, "conditions", "limit", "late"]), ANYTHING)
def test_whatever_is_given_it_is_a_rule_or_a_named_error(field, value):
    try:
        rule = made(SIMPLE | {field: value})
    except RuleFieldError:
        return
    assert made(json.loads(json.dumps(rule_document(rule)))) == rule


@given(st.text(max_size=60))
def test_whatever_a_file_holds_it_is_rules_or_an_error(text):
    try:
        rules_from_yaml(text, [], NOW, ANY)
    except RuleFieldError:
        return
