"""The pages about settings and commands say what the code does."""

import argparse
import re
from dataclasses import MISSING, fields
from pathlib import Path

from marengocam.cli.main import build_parser
from marengocam.settings import OPTION_NAMES, Settings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_every_setting_is_explained_with_its_default():
    page = (DOCS / "ref/settings.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| ", page, re.MULTILINE))
    assert set(rows) == OPTION_NAMES
    for field in fields(Settings):
        simple = field.default is not MISSING and isinstance(field.default, (str, int, float)) and field.default != ""
        if simple:
            assert f"`{field.default}`" in rows[field.name], field.name


def _commands(parser: argparse.ArgumentParser, before: str) -> set[str]:
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        return {before}
    return {
        command
        for action in inner
        for name, sub in action.choices.items()
        for command in _commands(sub, f"{before} {name}")
    }


def test_every_command_is_explained():
    page = (DOCS / "ref/cli.md").read_text()
    assert set(re.findall(r"^\| `(marengocam [a-z -]+)`", page, re.MULTILINE)) == _commands(
        build_parser(), "marengocam"
    )


def test_every_page_that_the_readme_links_to_is_there():
    readme = DOCS.parent / "README.md"
    for target in re.findall(r"\]\(([^)#:]+)\)", readme.read_text()):
        assert (readme.parent / target).exists(), target
