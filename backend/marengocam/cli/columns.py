"""Columns of a list on a terminal: filled up by what a name takes there, and nothing that the terminal would obey."""

import unicodedata

_NO_CELL = frozenset(("Mn", "Me", "Cf"))  # marks upon other letters, and joiners
_OBEYED = frozenset(("Cc", "Cs", "Zl", "Zp"))
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WIDE = frozenset("WF")


def column(text: str, width: int) -> str:
    """Return a text, filled up with spaces to so many cells; a longer one is left whole."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if _is_obeyed(letter) else letter for letter in text)
    return shown + " " * (width - sum(map(_cells, shown)))


def _is_obeyed(letter: str) -> bool:
    return letter in _TURNING or unicodedata.category(letter) in _OBEYED


def _cells(letter: str) -> int:
    if unicodedata.category(letter) in _NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in _WIDE else 1
