"""What somebody can be called, and which spellings are one name."""

import unicodedata

import pytest

from marengocam.core.errors import BadInputError
from marengocam.core.person_names import person_name

KEPT = ["Zoë", "שלום", "مرحبا", "Анна", "田中", "O'Neill; DROP TABLE", "👨‍👩‍👧", "می‌خواهم", "x" * 100, "<b>"]
REFUSED = {
    "": "at least one letter",
    " \u00a0\t": "at least one letter",
    "\u200b\u2060\ufeff": "at least one letter",
    "\u0301": "at least one letter",
    "a\x00b": "line breaks or control characters",
    "a\nb": "line breaks or control characters",
    "a\u2028b": "line breaks or control characters",
    "a\x1b[31mb": "line breaks or control characters",
    "\u202eecilA": "line breaks or control characters",
    "\u2067Ali\u2069": "line breaks or control characters",
    "\ud800": "line breaks or control characters",
    "x" * 101: "at most 100 characters",
    "x" * 10_000: "at most 100 characters",
}


def test_names_of_all_scripts_are_kept_as_they_are() -> None:
    assert [person_name(f"  {name}\n") for name in KEPT] == KEPT


@pytest.mark.parametrize("spelled", ["Zoe\u0308", "\u200bZo\u00eb", "Zo\u00eb\u2060", "\ufeff Zoe\u0308 "])
def test_what_looks_the_same_is_the_same_name(spelled: str) -> None:
    assert person_name(spelled) == "Zo\u00eb" == unicodedata.normalize("NFC", "Zoe\u0308")


@pytest.mark.parametrize(("name", "why"), REFUSED.items())
def test_what_is_no_name_is_refused_with_what_to_do(name: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        person_name(name)
