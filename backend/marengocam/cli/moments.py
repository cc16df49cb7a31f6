"""Moments as they are typed into commands and told by them: by the owner's clock."""

import contextlib
from datetime import UTC, datetime, timedelta

from marengocam.core.errors import BadInputError
from marengocam.settings import Settings

CLOCK_TIMES = ("%H:%M:%S", "%H:%M")
DAYS_BACK = 3  # of which one has every time of day, though clocks are put forward
TAKES = "time such as 2026-11-24T10:32:00Z; without a zone, or as 10:32 for the last one, by your clock"


class OwnerClock:
    """The clock on the owner's wall: of the setting `time_zone`, of TZ, or the machine's."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        from marengocam.runtime.rule_facts import place_of  # noqa: PLC0415 - loaded when needed

        self._now = now
        self._place = place_of(settings)

    @property
    def zone(self) -> str:
        """Its time zone's name."""
        return str(self._place.zone or self._local(self._now).tzname())

    def moment(self, text: str) -> datetime:
        """Return the moment, in UTC, of an RFC 3339 time, of one without offset, or of the last HH:MM[:SS].

        Raises BadInputError, also for a time that the clock skipped or showed twice.
        """
        for pattern in CLOCK_TIMES:
            with contextlib.suppress(ValueError):
                return self._last(datetime.strptime(text, pattern))  # noqa: DTZ007 - a time of day
        try:
            at = datetime.fromisoformat(text)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
            moments = self._moments(at)
        except (ValueError, OverflowError):
            raise BadInputError(f"{text!r} is no time like 2026-11-24T10:32:00Z, 2026-11-24T10:32 or 10:32.") from None
        if not moments:
            raise BadInputError(f"{text!r} was skipped when the clocks were put forward.")
        if len(moments) > 1:
            either = " or ".join(self._local(one).isoformat() for one in moments)
            raise BadInputError(f"{text!r} came twice, as the clocks were put back: say {either}.")
        return moments[0]

    def given(self, text: str | None) -> datetime | None:
        """Return the moment of an option, None when it is not given; raises BadInputError."""
        return None if text is None else self.moment(text)

    def told(self, at: datetime | None) -> str:
        """Return a time for a terminal, with its offset from UTC."""
        return "the beginning" if at is None else self._local(at).isoformat(" ", "seconds")

    def _local(self, at: datetime) -> datetime:
        return self._place.local(at)

    def _last(self, clock: datetime) -> datetime:
        today = self._local(self._now).replace(tzinfo=None)
        latest = today.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
        days = (latest - timedelta(days=n) for n in range(DAYS_BACK))
        return max(at for day in days for at in self._moments(day) if at <= self._now)

    def _moments(self, local: datetime) -> list[datetime]:
        """Return when the clock showed a time: twice as summer time ends, never as it begins."""
        zone = self._place.zone
        both = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        return sorted(at for at in both if self._local(at).replace(tzinfo=None) == local)
