"""Modules a reader can hold in mind: STYLE.md's figures."""

import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("backend", "custom_components")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager"}


def _modules():
    return [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py") if file.stat().st_size]


def test_modules_are_short():
    lengths = sorted(len(file.read_text().splitlines()) for file in _modules())
    assert statistics.median(lengths) <= 120
    assert lengths[int(len(lengths) * 0.9)] <= 400
    assert lengths[-1] <= 600


def test_no_module_is_named_after_nothing():
    assert not [file for file in _modules() if file.stem in FORBIDDEN_NAMES]
