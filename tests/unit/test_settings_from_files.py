"""Secrets come from files where Docker and Kubernetes put them."""

import pytest

from marengocam.core.errors import BadInputError
from marengocam.settings import load_settings


def test_any_setting_may_come_from_a_file_without_its_line_end(tmp_path):
    file = tmp_path / "mqtt"
    file.write_text("mqtt://user:secret@broker:1883\n")
    settings = load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path), "MARENGOCAM_MQTT_URL_FILE": str(file)})
    assert settings.mqtt_url.reveal() == "mqtt://user:secret@broker:1883"


def test_an_empty_file_is_as_good_as_none(tmp_path):
    file = tmp_path / "empty"
    file.write_text("\n")
    settings = load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path), "MARENGOCAM_MQTT_URL_FILE": str(file)})
    assert not settings.mqtt_url


def test_a_file_that_cannot_be_read_is_named_and_so_is_one_value_too_many(tmp_path):
    lost = {"MARENGOCAM_DATA_DIR": str(tmp_path), "MARENGOCAM_DATABASE_PASSWORD_FILE": str(tmp_path / "nowhere")}
    with pytest.raises(BadInputError, match=r"nowhere.*MARENGOCAM_DATABASE_PASSWORD_FILE"):
        load_settings(lost)
    (tmp_path / "nowhere").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInputError, match="no text"):
        load_settings(lost)
    with pytest.raises(BadInputError, match="keep one of them"):
        load_settings(lost | {"MARENGOCAM_DATABASE_PASSWORD": "x"})


def test_every_secret_is_known_to_what_hides_secrets(tmp_path):
    settings = load_settings(
        {
            "MARENGOCAM_DATA_DIR": str(tmp_path),
            "MARENGOCAM_DATABASE_PASSWORD": "one",
            "MARENGOCAM_DATABASE_DIRECT_URL": "postgresql://two",
        }
    )
    assert {"one", "postgresql://two"} <= {secret.reveal() for secret in settings.secrets}
