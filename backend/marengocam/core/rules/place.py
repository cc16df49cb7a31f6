"""Where and in which time zone the owner lives: local time, and the sun's times there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache

import astral
import astral.sun

from marengocam.core.rules.facts import Sun

DAYS_KEPT = 128
_TIMES: dict[str, Callable[..., datetime]] = {
    "dawn": astral.sun.dawn,
    "sunrise": astral.sun.sunrise,
    "noon": astral.sun.noon,
    "sunset": astral.sun.sunset,
    "dusk": astral.sun.dusk,
}


@dataclass(frozen=True, slots=True)
class Place:
    """The owner's; `zone` None: the machine's own time zone."""

    latitude_deg: float | None = None
    longitude_deg: float | None = None
    zone: tzinfo | None = None

    def local(self, at: datetime) -> datetime:
        """Return a moment by the owner's clock."""
        return at.astimezone(self.zone)

    def sun(self, at: datetime) -> Sun | None:
        """Return where the sun is at a moment, and its times on that local day; None when no location is set."""
        if self.latitude_deg is None or self.longitude_deg is None:
            return None
        observer = astral.Observer(self.latitude_deg, self.longitude_deg)
        local = self.local(at)
        times = _times(self.latitude_deg, self.longitude_deg, local.date(), local.tzinfo or UTC)
        return Sun(astral.sun.elevation(observer, at), times)


@lru_cache(maxsize=DAYS_KEPT)
def _times(latitude_deg: float, longitude_deg: float, day: date, zone: tzinfo) -> Mapping[str, datetime | None]:
    observer = astral.Observer(latitude_deg, longitude_deg)
    return {name: _time(find, observer, day, zone) for name, find in _TIMES.items()}


def _time(find: Callable[..., datetime], observer: astral.Observer, day: date, zone: tzinfo) -> datetime | None:
    try:
        return find(observer, date=day, tzinfo=zone)
    except ValueError:  # near the poles the sun may not rise, set or sink that far
        return None
