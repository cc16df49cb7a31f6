"""What has to go, what stays and until when, and what moves: pure decisions on recordings, rules and the disk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from marengocam.core.model import Chunk
from marengocam.core.retention import ALL, CLASSES, EVERY_CAMERA, Happenings, Policy, Rule
from marengocam.janitor.survival import RELIEVED_SHARE
from marengocam.media.space import Space

REVIEW_AFTER = timedelta(hours=2)  # at the latest: somebody may be named, a rule changed
ARCHIVE_FULL_SHARE = 0.80  # of the first disk: from here on the oldest move early
ARCHIVE_RELIEVED_SHARE = 0.78


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of recordings whose time has come."""

    going: list[Chunk]
    reviews: dict[UUID, datetime]
    classes: dict[UUID, str]


@dataclass(frozen=True, slots=True)
class Excess:
    """How much of a camera and a class (None: of any) is more than its owner wants."""

    camera_id: str | None
    kind: str | None
    over_bytes: int


def judge(due: Iterable[Chunk], happened: Mapping[UUID, Happenings], policy: Policy, now: datetime) -> Verdict:
    """Return which recordings go by age, and when the others are looked at again."""
    verdict = Verdict([], {}, {})
    for chunk in due:
        happenings = happened.get(chunk.chunk_id, Happenings())
        verdict.classes[chunk.chunk_id] = class_of(happenings)
        keep = policy.keep_of(chunk.camera_id, happenings)
        if keep is not None and chunk.ended_at + keep < now:
            verdict.going.append(chunk)
        else:
            latest = now + REVIEW_AFTER
            verdict.reviews[chunk.chunk_id] = latest if keep is None else min(latest, chunk.ended_at + keep)
    return verdict


def class_of(happenings: Happenings) -> str:
    """Return the most telling class."""
    return happenings.classes()[-1]


def excesses(sizes: Mapping[tuple[str, str], int], rules: Iterable[Rule], max_bytes: int) -> list[Excess]:
    """Return what is kept beyond the limits by size; a camera's own rule goes before the one for every camera."""
    limits = {(rule.camera_id, rule.kind): rule.max_bytes for rule in rules if rule.max_bytes is not None}
    found = []
    for camera_id in sorted({camera_id for camera_id, _ in sizes}):
        for kind in (*CLASSES, ALL):
            limit = limits.get((camera_id, kind), limits.get((EVERY_CAMERA, kind)))
            kept = sum(size for (of, its), size in sizes.items() if of == camera_id and kind in {its, ALL})
            if limit is not None and kept > limit:
                found.append(Excess(camera_id, None if kind == ALL else kind, kept - limit))
    total = sum(sizes.values())
    if max_bytes and total > max_bytes:
        found.append(Excess(None, None, total - max_bytes))
    return found


def as_many_as(chunks: Sequence[Chunk], needed_bytes: float) -> list[Chunk]:
    """Return the first recordings that together are as large as needed, or all."""
    going: list[Chunk] = []
    for chunk in chunks:
        if needed_bytes <= 0:
            break
        going.append(chunk)
        needed_bytes -= chunk.size_bytes
    return going


def to_sacrifice(oldest: Sequence[Chunk], space: Space) -> list[Chunk]:
    """Return the oldest recordings that must go so that the disk is relieved, retention or not.

    Where files run out and not bytes, all that are given.
    """
    if space.lacks_files and space.used_share > RELIEVED_SHARE:
        return list(oldest)
    return as_many_as(oldest, (space.used_share - RELIEVED_SHARE) * space.total_bytes)


def moves_before(space: Space, after: timedelta, now: datetime, *, early: bool) -> datetime:
    """Return from which age on recordings move to the archive: any age while the first disk fills."""
    limit = ARCHIVE_RELIEVED_SHARE if early else ARCHIVE_FULL_SHARE
    return now if space.used_share > limit else now - after
