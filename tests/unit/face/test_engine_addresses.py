"""The setting that lists face engines of other makers."""

import pytest

from marengocam.core.errors import BadInputError
from marengocam.core.face_engines import EngineKind, engine_addresses
from marengocam.settings import load_settings


def test_engines_are_listed_with_their_language_and_key():
    one, other = engine_addresses("compreface+http://:k%2Fy@host:8000/, deepstack+https://[::1]")
    assert (one.kind, one.base_url, one.key.reveal()) == (EngineKind.COMPREFACE, "http://host:8000", "k/y")
    assert (other.base_url, other.key, other.name) == ("https://[::1]", None, "deepstack at [::1]")
    assert engine_addresses("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "http://host:5000",
        "compreface+http://host:8000",
        "deepstack+ftp://:hushhush@host",
        "deepstack+http://:hushhush@",
        "deepstack+http://:hushhush@host:70000",
        "other+http://:hushhush@host",
        "deepstack+http://a, deepstack+http://a",
    ],
)
def test_what_cannot_be_used_is_refused_without_telling_a_key(text, tmp_path):
    with pytest.raises(BadInputError) as refused:
        engine_addresses(text)
    assert "hushhush" not in str(refused.value)
    with pytest.raises(BadInputError, match="face_engines") as refused:
        load_settings({"MARENGOCAM_FACE_ENGINES": text, "MARENGOCAM_DATA_DIR": str(tmp_path)})
    assert "hushhush" not in str(refused.value)
