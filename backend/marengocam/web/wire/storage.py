"""What is kept, what was lost, and how the whole was doing, as the API shows and takes them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from marengocam.web.wire.base import Given, Told

Kind = Literal["continuous", "motion", "person", "unknown", "named", "favourite", "all"]
Days = Annotated[float, msgspec.Meta(gt=0, le=36500)]
Bytes = Annotated[int, msgspec.Meta(gt=0)]


class RetentionRule(Told):
    """How long and how much is kept of a camera (`*`: every camera) and a class of recordings."""

    camera_id: str
    kind: Kind
    keep_days: float | None
    max_bytes: int | None


class RetentionOut(Told):
    """`default_days` holds where no rule says else; favourites are kept for ever unless a rule says else."""

    default_days: float
    max_bytes: int
    rules: list[RetentionRule]


class RetentionIn(Given):
    """One or both; for `all` only a size."""

    camera_id: str
    kind: Kind
    keep_days: Days | None = None
    max_bytes: Bytes | None = None


class FavouriteOut(Told):
    """A stretch around a marked moment; of all cameras when none is named."""

    favourite_id: UUID
    camera_id: str | None
    from_at: datetime
    to_at: datetime
    label: str


class FavouriteList(Told):
    favourites: list[FavouriteOut]


class RecordingDayOut(Told):
    """What of a day (UTC) a camera that is recorded always was not."""

    camera_id: str
    day: date
    lost_s: float
    gaps: int
    longest_s: float


class RecordingDays(Told):
    days: list[RecordingDayOut]


class HealthSampleOut(Told):
    """How the whole was doing at one moment; `survival_level` 0: survival mode was off."""

    at: datetime
    disk_used_share: float | None
    ingest_lag_s: float | None
    survival_level: int
    cameras: int
    cameras_online: int
    recorded_bytes: int
    database_bytes: int


class HealthHistory(Told):
    samples: list[HealthSampleOut]
