"""Habits of the SQL files, and the ways values travel."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from marengocam.core.errors import MarengoCamError
from marengocam.db.migrate import known_migrations
from marengocam.db.queries import SQL_FOLDER, embedding_from, from_json, load, to_json, vector_text

FILES = sorted(SQL_FOLDER.glob("*.sql"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_query_is_named_and_says_what_it_is_for(file):
    queries = load(file.stem)
    blocks = re.split(r"^-- name: ", file.read_text(), flags=re.MULTILINE)
    assert blocks[0].strip() == ""
    for block in blocks[1:]:
        name, purpose = block.splitlines()[:2]
        assert re.fullmatch(r"-- \S.*", purpose), f"{name} does not say what for"
        assert hasattr(queries, re.match(r"\w+", name).group())


SMALLEST = 1e-5  # of numbers whose six digits are all written


def test_steps_of_the_schema_are_numbered_without_gaps():
    versions = [step.version for step in known_migrations()]
    assert versions == list(range(1, len(versions) + 1))


def test_a_file_among_the_steps_with_another_name_is_refused(tmp_path):
    (tmp_path / "hub.sql").write_text("SELECT 1")
    with pytest.raises(MarengoCamError, match=r"hub\.sql"):
        known_migrations(tmp_path)


def test_a_vector_keeps_what_half_precision_can_hold():
    vector = np.array([0.5, -0.25, 0.1], dtype=np.float32)
    assert numbers_of(vector_text(vector)).tolist() == vector.tolist()
    back = embedding_from("sface", [0.5, -0.25, 0.1], None)
    np.testing.assert_array_equal(back.vector, vector)
    assert (back.model, back.quality) == ("sface", 1.0)


@given(arrays(np.float32, st.integers(1, 8), elements=st.floats(-65504, 65504, width=32)))
def test_a_vector_is_written_with_six_digits_of_each_number_which_is_more_than_is_kept(vector):
    usual = numbers_of(f"[{','.join(f'{value:.6g}' for value in vector.tolist())}]")
    told = numbers_of(vector_text(vector))
    usual[np.abs(usual) < SMALLEST] = told[np.abs(usual) < SMALLEST]  # of these the last digits are left out
    np.testing.assert_array_equal(told, usual)
    assert np.abs(told - vector)[np.abs(vector) < SMALLEST].max(initial=0) <= 1e-10


def test_what_is_no_number_is_written_for_the_server_to_refuse():
    assert vector_text(np.array([1.0, np.nan, np.inf], np.float32)) == "[1,nan,inf]"


def numbers_of(text):
    return np.array([np.float32(number) for number in text[1:-1].split(",")])


def test_an_embedding_needs_its_model():
    assert embedding_from(None, [0.5], 1.0) is None
    assert embedding_from("sface", None, 1.0) is None
    assert vector_text(None) is None


def test_json_comes_back_as_it_went():
    value = {"cues": [{"cue": "face", "log_ratio": 4.5}], "name": "Zoë"}
    assert from_json(to_json(value)) == value
    assert from_json(None) is None
