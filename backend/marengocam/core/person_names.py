"""What somebody can be called: any script, one spelling of what looks the same, nothing that a screen would obey."""

import unicodedata

from marengocam.core.errors import BadInputError

MAX_LETTERS = 100
_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF))  # joiners are left: Persian names and emoji need them
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn the text around it, too
_OBEYED = frozenset(("Cc", "Cs", "Zl", "Zp"))  # control characters, halves of letters, line and paragraph breaks
_SHOWS_NOTHING = frozenset("CMZ")  # control and format characters, marks alone, spaces


def person_name(text: str) -> str:
    """Return a name as it is kept and compared; raises BadInputError that says what to change."""
    name = unicodedata.normalize("NFC", text.translate(_INVISIBLE).strip())
    if any(letter in _REORDERING or unicodedata.category(letter) in _OBEYED for letter in name):
        raise BadInputError("A name cannot have line breaks or control characters: type it anew.")
    if all(unicodedata.category(letter)[0] in _SHOWS_NOTHING for letter in name):
        raise BadInputError("A name needs at least one letter.")
    if len(name) > MAX_LETTERS:
        raise BadInputError(f"A name has at most {MAX_LETTERS} characters.")
    return name
