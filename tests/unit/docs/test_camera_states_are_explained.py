"""The page about camera states has a row for every state and reason that the code can tell."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import marengocam
from marengocam.core.model import CameraState
from marengocam.media.faults import SENTENCES, Fault

CODE = Path(marengocam.__file__).parent
PAGE = (Path(__file__).resolve().parents[3] / "docs/guide/camera-states.md").read_text()
ROWS = [
    tuple(cell.strip() for cell in row.strip("|").split("|")) for row in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)
]
FIRST_CELLS = {row[0] for row in ROWS}
OF_A_CAMERA = {"recording_problem", "stream_problem", "analysis_problem", "_blind_reason"}
REASONS = {"FROZEN_REASON", "DISABLED_REASON", "UNDECODABLE_REASON", "LOOKS_FAIL_REASON", "FAULT_REASON"}
OF_A_RECORDING = {CODE / "media/chunk_writer.py"}


def _opening(text: ast.expr) -> str:
    """Return a sentence up to its first variable part, "" for what is no text."""
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    said = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return said.strip().removesuffix(":") if isinstance(text, ast.JoinedStr) else said


def _told(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "_trouble" or (name == "StoreError" and file in OF_A_RECORDING):
                yield _opening(node.args[0])
        elif isinstance(node, ast.Assign):
            names = {getattr(target, "attr", getattr(target, "id", "")) for target in node.targets}
            if names & OF_A_CAMERA or names & REASONS:
                yield _opening(node.value)


@pytest.mark.parametrize("state", list(CameraState))
def test_every_state_has_a_row(state):
    assert f"`{state}`" in FIRST_CELLS


@pytest.mark.parametrize("fault", list(Fault))
def test_every_trouble_with_a_stream_has_a_row_that_says_what_to_do(fault):
    (row,) = [row for row in ROWS if row[0] == SENTENCES[fault]]
    assert all(row)


def test_every_other_reason_has_a_row():
    told = {text for file in [*(CODE / "ingest").glob("*.py"), *OF_A_RECORDING] for text in _told(file)} - {""}
    assert len(told) >= 6, "they are still found where they were"
    assert {text for text in told if not any(cell.startswith(text) for cell in FIRST_CELLS)} == set()


def test_no_row_explains_what_is_told_no_more():
    told = {text for file in [*(CODE / "ingest").glob("*.py"), *OF_A_RECORDING] for text in _told(file)} - {""}
    known = (*told, *SENTENCES.values())
    explained = PAGE[PAGE.index("## Reasons while the camera cannot") : PAGE.index("## How long")]
    rows = [row.split("|")[1].strip() for row in re.findall(r"^\|.*\|$", explained, re.MULTILINE)]
    sentences = [row for row in rows if row[:1].isupper()]
    assert [row for row in sentences if not any(row.startswith(text.removesuffix(":")) for text in known)] == []
