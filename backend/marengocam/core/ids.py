"""Identifiers that sort by time and need no database to be made."""

import re
import secrets
import unicodedata
from datetime import datetime
from uuid import UUID

CAMERA_ID_PATTERN = re.compile(r"^[a-z0-9][a-z0-9_]{0,62}$")


def new_id(at: datetime) -> UUID:
    """Return a UUID version 7 (RFC 9562) for the moment `at`: 48 bits of Unix milliseconds, then random bits."""
    unix_ms = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    rand_a = secrets.randbits(12)
    rand_b = secrets.randbits(62)
    return UUID(int=(unix_ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)


def camera_id_from_name(name: str) -> str:
    """Return the id a camera called `name` gets: lower-case ASCII words joined by underscores, at most 63 long."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_name.lower())
    return "_".join(words)[:63].strip("_") or "camera"
