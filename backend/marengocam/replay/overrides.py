"""What a run changes: settings, a camera's options, models. `--set key=value`, checked before anything starts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from marengocam.core.camera_options import KNOWN_LABELS, Analysis, LabelRule
from marengocam.core.errors import BadInputError
from marengocam.core.model import Camera
from marengocam.settings import Settings, changed_settings
from marengocam.vision.models import Models, ModelSpec, Role

SETTINGS = (
    "analysis_fps",
    "analysis_detail",
    "detector",
    "detector_precision",
    "detector_min_score",
    "confirm_probability",
    "appearance",
)
SWITCHES = ("movement", "faces", "learn_furniture")  # of the camera
LABELS, MASKS, MIN_SCORE, MODEL = "labels", "masks", "min_score.", "model."
_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """Return `key=value` texts as a mapping; raises BadInputError."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise BadInputError(f"--set takes key=value, such as detector_min_score=0.3, not {text!r}.")
        found[key.strip()] = value.strip()
    return found


def checked(overrides: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return overrides that can be used; raises BadInputError that names the key and what it accepts."""
    for key, value in overrides.items():
        if key.startswith(MODEL):
            model_named(value, settings)
        elif key not in (*SETTINGS, *SWITCHES, LABELS, MASKS) and not key.startswith(MIN_SCORE):
            known = ", ".join((*SETTINGS, *SWITCHES, LABELS, MASKS, f"{MIN_SCORE}LABEL"))
            raise BadInputError(f"A replay cannot change {key!r}; it can change {known}.")
    changed(settings, overrides)
    changed_camera(Camera("any", "any", "file:///"), overrides)
    return dict(overrides)


def model_override(name: str, settings: Settings) -> tuple[str, str]:
    """Return the override that takes a model by name; raises BadInputError that names the known ones."""
    return f"{MODEL}{model_named(name, settings).role}", name


def model_named(name: str, settings: Settings) -> ModelSpec:
    """Return a model, pinned or made here; raises BadInputError: other files are never loaded."""
    specs = Models(settings).specs()
    spec = next((one for one in specs if one.name == name), None)
    if spec is None:
        known = ", ".join(one.name for one in specs)
        raise BadInputError(f"There is no model {name!r}; known are {known}. See `marengocam models list`.")
    return spec


def changed(settings: Settings, overrides: Mapping[str, str]) -> Settings:
    """Return the settings of a run; raises BadInputError."""
    values = {key: value for key, value in overrides.items() if key in SETTINGS}
    torch = any(key.startswith(MODEL) and model_named(value, settings).needs_torch for key, value in overrides.items())
    if torch:
        values.setdefault("detector", "ultralytics")
    return changed_settings(settings, values)


def changed_camera(camera: Camera, overrides: Mapping[str, str]) -> Camera:
    """Return the camera of a run, without its login; raises BadInputError."""
    switches: dict[str, Any] = {key: _switch(key, overrides[key]) for key in SWITCHES if key in overrides}
    analysis = replace(camera.analysis, **switches)
    if overrides.get(MASKS) is not None:
        if overrides[MASKS] != "none":
            raise BadInputError("masks takes only 'none': nothing is masked in this run.")
        analysis = replace(analysis, masks=())
    if LABELS in overrides:
        wanted = [one.strip() for one in overrides[LABELS].split(",") if one.strip()]
        analysis = replace(analysis, labels=tuple(analysis.rule(_label(one)) or LabelRule(one) for one in wanted))
    for key, value in sorted(overrides.items()):
        if key.startswith(MIN_SCORE):
            analysis = _with_score(analysis, _label(key.removeprefix(MIN_SCORE)), key, value)
    return replace(camera, analysis=analysis, username=None, password=None)


class ChosenModels(Models):
    """Takes the models that a run names, for all other roles the best there are."""

    def __init__(self, settings: Settings, overrides: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._names = {key.removeprefix(MODEL): value for key, value in overrides.items() if key.startswith(MODEL)}

    def best(self, role: Role, *, without: Iterable[str] = (), torch: bool = False) -> tuple[ModelSpec, Path] | None:
        """Return the model that was named for a role, else the best; raises BadInputError when it is not here."""
        name = self._names.get(str(role))
        if name is None:
            return super().best(role, without=without, torch=torch)
        spec = model_named(name, self._settings)
        file = self.find(spec, download=True)
        if file is None:
            raise BadInputError(f"The model {name} is not here: fetch it with `marengocam models fetch {name}`.")
        return spec, file

    def int8_of(self, spec: ModelSpec) -> tuple[ModelSpec, Path] | None:
        """Return nothing for a detector that was named: it is meant as it is."""
        return None if str(spec.role) in self._names else super().int8_of(spec)


def _with_score(analysis: Analysis, label: str, key: str, text: str) -> Analysis:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0.05 <= score <= 0.95:
        raise BadInputError(f"{key} must be a number from 0.05 to 0.95, not {text!r}.")
    rules = analysis.labels or tuple(LabelRule(one) for one in sorted(KNOWN_LABELS) if analysis.rule(one))
    if all(rule.label != label for rule in rules):
        rules = (*rules, LabelRule(label))
    return replace(
        analysis, labels=tuple(replace(rule, min_score=score) if rule.label == label else rule for rule in rules)
    )


def _label(text: str) -> str:
    if text not in KNOWN_LABELS:
        raise BadInputError(f"{text!r} is no label; known are {', '.join(sorted(KNOWN_LABELS))}.")
    return text


def _switch(key: str, text: str) -> bool:
    if text.lower() not in _WORDS:
        raise BadInputError(f"{key} must be on or off, not {text!r}.")
    return _WORDS[text.lower()]
