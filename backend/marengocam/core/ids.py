"""Identifiers that sort by time and need no database to be made."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from marengocam.core.errors import ConflictError

CAMERA_ID_PATTERN = re.compile(r"^[a-z0-9][a-z0-9_]{0,62}$")


def new_id(at: datetime, number: int | None = None) -> UUID:
    """Return a UUID version 7 (RFC 9562) for the moment `at`: 48 bits of Unix milliseconds, then random bits.

    With a `number` below 4096 in place of the first of them, ids of one millisecond are in the order of their numbers.
    """
    unix_ms = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    rand_a = secrets.randbits(12) if number is None else number
    rand_b = secrets.randbits(62)
    return UUID(int=(unix_ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)


def camera_id_from_name(name: str) -> str:
    """Return the id a camera called `name` gets: lower-case ASCII words joined by underscores, at most 63 long.

    A name without any, as in other scripts, gets one made from all of it.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_name.lower())
    return "_".join(words)[:63].strip("_") or f"camera_{_mark(name)}"


def camera_id_beside(name: str, others: Mapping[str, str]) -> str:
    """Return the id a new camera gets beside others (names by id); raises ConflictError where one has its name."""
    if name.casefold() in {other.casefold() for other in others.values()}:
        raise ConflictError("A camera with that name is there already: choose another name.")
    camera_id = camera_id_from_name(name)
    return f"{camera_id[:56]}_{_mark(name)}" if camera_id in others else camera_id


def _mark(name: str) -> str:
    """Return six characters that other names hardly have, and the same name has again."""
    return hashlib.sha256(name.encode()).hexdigest()[:6]
