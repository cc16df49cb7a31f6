"""Texts, manifest and guide agree with the code."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from custom_components.marengocam import binary_sensor, button, image, media_source, number, select, sensors, switch
from custom_components.marengocam.bus import COMMON_FIELDS, EXTRA_FIELDS
from custom_components.marengocam.config_flow import REASONS
from custom_components.marengocam.event import PERSON_EVENTS, PRESENCE_EVENTS
from custom_components.marengocam.failures import KEYS
from custom_components.marengocam.logbook import SENTENCES
from custom_components.marengocam.option_cameras import CAMERA_FORM, CONF_ZONES
from custom_components.marengocam.option_persons import ENTITY_FORM, MEDIA_FORM, UPLOAD_FORM
from custom_components.marengocam.options_flow import MENU
from custom_components.marengocam.services import ACTIONS
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_the_integration_holds_an_address(language: str) -> None:
    """Home Assistant's own check (hassfest) refuses them: addresses are handed in as placeholders."""
    texts = leaves(json.loads((ROOT / "translations" / f"{language}.json").read_text())["integration"])
    assert [key for key, text in texts if "://" in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_built_cards_say_what_the_source_says(language: str) -> None:
    """Build them anew with ./script/build-frontend after changing `cards` in translations/."""
    built = (INTEGRATION / "frontend" / "marengocam-cards.js").read_text(encoding="utf-8")
    texts = json.loads((ROOT / "translations" / f"{language}.json").read_text(encoding="utf-8"))["cards"]
    assert [text for text in texts.values() if text not in built] == []


def test_every_text_of_the_cards_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "frontend" / "src").glob("*.ts"))
    # A word of the editor's form is found by its field's name.
    unused = [key for key in ENGLISH["cards"] if not re.search(rf'\.{key}\b|name: "{key}"', code)]
    assert unused == []


def test_the_promised_languages_are_there() -> None:
    assert {"de", "en", "es", "fr", "nl"} <= set(LANGUAGES)


def _words_in_code(call_keyword: str) -> set[str]:
    found = set()
    for module in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.keyword) and node.arg == call_keyword and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
    return found


def _arguments(of: str, position: int) -> set[str]:
    """Return the words that calls of a function in the code have at this place."""
    found = set()
    for module in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == of
                and len(node.args) > position
            ):
                argument = node.args[position]
                if isinstance(argument, ast.Constant):
                    found.add(argument.value)
    return found


def test_every_error_of_the_code_has_a_text_and_the_other_way_round() -> None:
    entity_keys = {key for platform in TEXTS["entity"].values() for key in platform}
    raised = (_words_in_code("translation_key") - entity_keys - {"camera"}) | _arguments("refused", 0)
    assert raised | set(KEYS.values()) | {"unexpected_answer"} == set(TEXTS["exceptions"])


def test_every_word_outside_the_user_interface_has_a_text_and_the_other_way_round() -> None:
    asked = _arguments("word", 1) | _arguments("word_in", 2) | set(SENTENCES.values())
    asked |= {media_source.RECORDINGS, media_source.VISITS, media_source.STRANGERS, media_source.KEPT}
    assert asked == set(TEXTS["common"])


def test_the_words_that_an_action_s_form_offers_have_texts() -> None:
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    chosen = described["set_recording"]["fields"]["mode"]["selector"]["select"]
    assert set(TEXTS["selector"][chosen["translation_key"]]["options"]) == set(chosen["options"]) == set(select.MODES)


def test_every_repair_issue_of_the_code_has_a_text_and_the_other_way_round() -> None:
    assert _arguments("Trouble", 0) == set(TEXTS["issues"])
    for text in TEXTS["issues"].values():
        assert set(text) == {"title", "description"}


def test_every_entity_has_a_name() -> None:
    described = {
        "binary_sensor": (*binary_sensor.BACKEND, *binary_sensor.CAMERA, binary_sensor.ZONE, *binary_sensor.PERSON),
        "button": (button.SNAPSHOT,),  # the other one has the name of its device class
        "event": (PERSON_EVENTS, PRESENCE_EVENTS),
        "image": (image.LAST_PERSON, image.PICTURE),
        "number": (number.CONFIRMATION,),
        "select": (select.RECORDING_MODE,),
        "sensor": (*sensors.BACKEND, *sensors.FEED, *sensors.CAMERA, sensors.ZONE, *sensors.PERSON),
        "switch": (*switch.CAMERA, switch.PRIVACY),
    }
    assert {name: {one.translation_key for one in group} for name, group in described.items()} == {
        name: set(texts) for name, texts in TEXTS["entity"].items()
    }
    for event in (PERSON_EVENTS, PRESENCE_EVENTS):
        texts = TEXTS["entity"]["event"][event.translation_key]
        assert set(texts["state_attributes"]["event_type"]["state"]) == set(event.event_types)
    for one in (*sensors.BACKEND, *sensors.CAMERA):
        if one.options:
            assert set(TEXTS["entity"]["sensor"][one.translation_key]["state"]) == set(one.options)
    assert set(TEXTS["entity"]["select"]["recording_mode"]["state"]) == set(select.MODES)


def test_the_forms_of_the_options_have_a_text_for_every_field() -> None:
    assert set(TEXTS["options"]["step"]["init"]["menu_options"]) == set(MENU)
    for step, form, further in (
        ("enter_camera", CAMERA_FORM, set()),
        ("change_camera", CAMERA_FORM, {CONF_ZONES}),
        ("person_upload", UPLOAD_FORM, set()),
        ("person_entity", ENTITY_FORM, set()),
        ("person_media", MEDIA_FORM, set()),
    ):
        fields = {str(key) for key in form.schema} | further
        texts = TEXTS["options"]["step"][step]
        assert set(texts["data"]) == set(texts["data_description"]) == fields, step


def test_the_config_flow_has_a_text_for_every_error() -> None:
    shown = {key for errors in REASONS.values() for key in errors.values()}
    assert shown | {"invalid_address", "forbidden", "refused", "unknown"} == set(TEXTS["config"]["error"])


def _fields(schema: Any) -> set[str]:
    whole = schema.validators[0] if hasattr(schema, "validators") else schema
    return {str(key) for key in whole.schema}


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_action_is_described_alike_everywhere(action: str) -> None:
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    service._SERVICES_SCHEMA(described)
    assert set(described) == set(TEXTS["services"]) == set(ACTIONS)
    fields = _fields(ACTIONS[action][1])
    assert set(described[action]["fields"]) == set(TEXTS["services"][action]["fields"]) == fields
    section = GUIDE.split(f"### `marengocam.{action}`")[1].split("##")[0]
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
        assert state == "done" or (state["status"] == "exempt" and state["comment"]), name
    assert json.loads((INTEGRATION / "manifest.json").read_text())["quality_scale"] == "platinum"


def test_no_module_needs_itself_by_a_circle_of_imports() -> None:
    """Those for type checking count too."""
    needs: dict[Path, set[Path]] = {}
    for module in INTEGRATION.rglob("*.py"):
        needs[module] = set()
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                named = [folder / f"{alias.name}.py" for alias in node.names]
                candidates = [folder.with_suffix(".py"), folder / "__init__.py", *named]
                needs[module] |= {one for one in candidates if one.is_file()} - {module.parent / "__init__.py"}
    assert list(TopologicalSorter(needs).static_order())


def test_the_integration_imports_nothing_of_the_backend() -> None:
    for module in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert not (node.module or "").startswith("marengocam"), module
            if isinstance(node, ast.Import):
                assert not any(alias.name.split(".")[0] == "marengocam" for alias in node.names), module


@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_assistant_takes_the_texts(hass: HomeAssistant, language: str) -> None:
    for category in ("common", "config", "entity", "exceptions", "issues", "options", "services", "system_health"):
        assert await async_get_translations(hass, language, category, ["marengocam"]), category


async def test_home_assistant_takes_the_icons(hass: HomeAssistant) -> None:
    icons = (await async_get_icons(hass, "entity", ["marengocam"]))["marengocam"]
    known = {platform: set(names) for platform, names in TEXTS["entity"].items()} | {"camera": {"camera"}}
    for platform, keys in icons.items():
        assert set(keys) <= known[platform], platform
    assert set((await async_get_icons(hass, "services", ["marengocam"]))["marengocam"]) == set(ACTIONS)
