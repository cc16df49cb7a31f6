"""Texts, manifest and guide agree with the code."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from custom_components.marengocam.binary_sensor import BACKEND as BINARY_BACKEND
from custom_components.marengocam.binary_sensor import CAMERA as BINARY_CAMERA
from custom_components.marengocam.binary_sensor import PERSON as BINARY_PERSON
from custom_components.marengocam.bus import COMMON_FIELDS, EXTRA_FIELDS
from custom_components.marengocam.config_flow import REASONS
from custom_components.marengocam.event import PERSON_EVENTS
from custom_components.marengocam.failures import KEYS
from custom_components.marengocam.sensor import BACKEND, CAMERA, FEED, PERSON
from custom_components.marengocam.services import REPLAY_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import service
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.yaml import load_yaml_dict

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = ROOT / "custom_components" / "marengocam"
GUIDE = (ROOT / "docs" / "guide" / "home-assistant.md").read_text()
ENGLISH = json.loads((ROOT / "translations" / "en.json").read_text())
TEXTS = ENGLISH["integration"]
LANGUAGES = sorted(path.stem for path in (ROOT / "translations").glob("*.json"))
PLACEHOLDER = re.compile(r"{\w+}")


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{path}.{key}")
    else:
        yield path, tree


def test_the_copies_are_what_the_source_says() -> None:
    script = ROOT / "script" / "translations"
    result = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    english = dict(leaves(ENGLISH))
    other = dict(leaves(json.loads((ROOT / "translations" / f"{language}.json").read_text())))
    assert other.keys() == english.keys()
    for key, text in other.items():
        assert text.strip(), key
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english[key])), key


def test_there_are_at_least_english_and_german() -> None:
    assert {"de", "en"} <= set(LANGUAGES)


def _words_in_code(call_keyword: str) -> set[str]:
    found = set()
    for module in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.keyword) and node.arg == call_keyword and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
    return found


def test_every_error_of_the_code_has_a_text_and_the_other_way_round() -> None:
    entity_keys = {key for platform in TEXTS["entity"].values() for key in platform}
    raised = _words_in_code("translation_key") - entity_keys - {"camera"}
    assert raised | set(KEYS.values()) | {"unexpected_answer"} == set(TEXTS["exceptions"])


def test_every_entity_has_a_name() -> None:
    def names(*groups: Any) -> set[str]:
        return {description.translation_key for group in groups for description in group}

    assert names(BINARY_BACKEND, BINARY_CAMERA, BINARY_PERSON) == set(TEXTS["entity"]["binary_sensor"])
    assert names(BACKEND, FEED, CAMERA, PERSON) == set(TEXTS["entity"]["sensor"])
    event = TEXTS["entity"]["event"]["person_events"]
    assert set(event["state_attributes"]["event_type"]["state"]) == set(PERSON_EVENTS.event_types)
    for description in (*BACKEND, *CAMERA):
        if description.options:
            assert set(TEXTS["entity"]["sensor"][description.translation_key]["state"]) == set(description.options)


def test_the_config_flow_has_a_text_for_every_error() -> None:
    shown = {key for errors in REASONS.values() for key in errors.values()}
    assert shown | {"invalid_address", "forbidden", "refused", "unknown"} == set(TEXTS["config"]["error"])


def test_the_actions_are_described_alike_everywhere() -> None:
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    service._SERVICES_SCHEMA(described)
    fields = {str(key) for key in REPLAY_SCHEMA.validators[0].schema}
    assert set(described) == set(TEXTS["services"]) == {"replay"}
    assert set(described["replay"]["fields"]) == set(TEXTS["services"]["replay"]["fields"]) == fields
    section = GUIDE.split("### `marengocam.replay`")[1].split("##")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == fields


def test_the_guide_lists_every_event_and_its_data() -> None:
    section = GUIDE.split("## Events")[1].split("### Late events")[0]
    rows = re.findall(r"^\| `marengocam_(\w+)` \|[^|]*\|([^|]*)\|$", section, re.MULTILINE)
    listed = {name: set(re.findall(r"`(\w+)`", extras)) for name, extras in rows}
    assert listed == {name: set(extras) for name, extras in EXTRA_FIELDS.items()}
    assert tuple(re.findall(r"^\| `([a-z_]+)` \| [^|]* \|$", section, re.MULTILINE)) == COMMON_FIELDS


def test_the_guides_examples_are_yaml() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        assert yaml.safe_load(example)


def test_the_manifest_is_in_order() -> None:
    manifest = json.loads((INTEGRATION / "manifest.json").read_text())
    assert list(manifest) == ["domain", "name", *sorted(set(manifest) - {"domain", "name"})]
    assert manifest["domain"] == INTEGRATION.name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert manifest["version"] == project["version"]
    assert manifest["config_flow"] is True
    assert manifest["iot_class"] == "local_push"
    hacs = json.loads((ROOT / "hacs.json").read_text())
    oldest = (ROOT / "tests" / "hass" / "requirements-oldest.txt").read_text()
    assert f"homeassistant=={hacs['homeassistant'].rsplit('.', 1)[0]}." in oldest, "what is promised is what is tested"


def test_every_rule_of_the_quality_scale_has_a_truthful_state() -> None:
    rules = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text())["rules"]
    for name, state in rules.items():
        assert state == "done" or (state["status"] in ("exempt", "todo") and state["comment"]), name


def test_the_integration_imports_nothing_of_the_backend() -> None:
    for module in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert not (node.module or "").startswith("marengocam"), module
            if isinstance(node, ast.Import):
                assert not any(alias.name.split(".")[0] == "marengocam" for alias in node.names), module


@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_assistant_takes_the_texts(hass: HomeAssistant, language: str) -> None:
    for category in ("config", "entity", "exceptions", "options", "services"):
        assert await async_get_translations(hass, language, category, ["marengocam"]), category


async def test_home_assistant_takes_the_icons(hass: HomeAssistant) -> None:
    icons = (await async_get_icons(hass, "entity", ["marengocam"]))["marengocam"]
    known = {platform: set(names) for platform, names in TEXTS["entity"].items()} | {"camera": {"camera"}}
    for platform, keys in icons.items():
        assert set(keys) <= known[platform], platform
    assert "replay" in (await async_get_icons(hass, "services", ["marengocam"]))["marengocam"]
