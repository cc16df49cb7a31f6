"""Columns of lists stand under each other in every script, and no name commands the terminal."""

import pytest

from marengocam.cli.columns import column

FULL = 10


def shown_width(text: str) -> int:
    """Return how many cells a terminal takes for the texts below."""
    wide, none = set("前门庭院テスト🎥🚪"), set("\u0301\u200d\ufe0f")
    return sum(0 if letter in none else 2 if letter in wide else 1 for letter in text)


@pytest.mark.parametrize("name", ["", "Front", "前门", "テスト", "🎥 门", "Cafe\u0301", "🚪\ufe0f", "ｱ", "Ä", "Сад"])
def test_a_column_is_as_wide_as_it_shall_be_whatever_stands_in_it(name: str) -> None:
    assert shown_width(column(name, FULL)) == FULL
    assert column(name, FULL).rstrip() == name


def test_what_is_longer_keeps_its_end() -> None:
    assert column("前门前门前门", FULL) == "前门前门前门"


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\nb", "a\rb", "a\x9bb", "a\u202eb", "a\x00b"])
def test_what_a_terminal_would_obey_is_shown_as_unreadable(name: str) -> None:
    assert column(name, 12).startswith("a\N{REPLACEMENT CHARACTER}")
    assert not any(letter in column(name, 12) for letter in "\x1b\n\r\x9b\u202e\0")
