"""A replay takes a model by its name, also one that was made here, and just as it is."""

from pathlib import Path

import pytest
from tests.unit.vision.test_made_models import NAME, ORIGIN, installed

from marengocam.core.errors import BadInputError
from marengocam.replay.overrides import ChosenModels, checked, model_override
from marengocam.settings import Settings
from marengocam.vision.models import Role


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", media_dir=tmp_path / "media", download_models=False)


def test_a_made_model_is_taken_by_name(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(BadInputError, match="There is no model"):
        model_override(NAME, settings)
    file = installed(tmp_path / "data" / "models")
    overrides = checked(dict([model_override(NAME, settings)]), settings)
    spec, found = ChosenModels(settings, overrides).best(Role.DETECTOR)
    assert (spec.name, found) == (NAME, file)


def test_a_network_that_is_named_is_not_exchanged_for_its_int8(tmp_path: Path, settings: Settings) -> None:
    installed(tmp_path / "data" / "models")
    named = dict([model_override(ORIGIN.name, settings)])
    assert ChosenModels(settings, {}).int8_of(ORIGIN) is not None
    assert ChosenModels(settings, named).int8_of(ORIGIN) is None


def test_a_precision_is_set_for_a_run(settings: Settings) -> None:
    assert checked({"detector_precision": "f32"}, settings)
    with pytest.raises(BadInputError, match="detector_precision"):
        checked({"detector_precision": "f64"}, settings)
