"""What has to go: pure decisions on the oldest chunks, the limits and the disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marengocam.core.model import Chunk
from marengocam.media.store import Space

FULL_SHARE = 0.90  # the brief's limit: from here on the oldest footage goes, whatever its age
RELIEVED_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Limits:
    """What an owner wants to keep; no limit by size when `max_bytes` is 0."""

    keep: timedelta
    max_bytes: int


def to_condemn(oldest: Sequence[Chunk], kept_bytes: int, limits: Limits, now: datetime) -> list[Chunk]:
    """Return which of the oldest chunks (in order of time) are too old or too much."""
    going: list[Chunk] = []
    for chunk in oldest:
        too_old = chunk.ended_at < now - limits.keep
        too_much = limits.max_bytes > 0 and kept_bytes > limits.max_bytes
        if not (too_old or too_much):
            break
        going.append(chunk)
        kept_bytes -= chunk.size_bytes
    return going


def to_sacrifice(oldest: Sequence[Chunk], space: Space) -> list[Chunk]:
    """Return the oldest chunks that must go so that the disk is relieved, retention or not."""
    needed_bytes = (space.used_share - RELIEVED_SHARE) * space.total_bytes
    going: list[Chunk] = []
    for chunk in oldest:
        if needed_bytes <= 0:
            break
        going.append(chunk)
        needed_bytes -= chunk.size_bytes
    return going


def survival_mode(space: Space, *, before: bool) -> bool:
    """Return whether survival mode is on: from FULL_SHARE, until the disk is down to RELIEVED_SHARE again."""
    if before:
        return space.used_share > RELIEVED_SHARE
    return space.used_share > FULL_SHARE
