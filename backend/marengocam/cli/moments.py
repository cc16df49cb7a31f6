"""Moments as they are typed into commands and told by them."""

import argparse
import contextlib
from datetime import UTC, datetime, timedelta

from marengocam.core.errors import BadInputError


def moment(text: str) -> datetime:
    """Return an aware time from RFC 3339 text, for argparse."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-11-24T10:15:00Z") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} needs a time zone, such as 2026-11-24T10:15:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text!r} lies before the first year, or after the last") from None


def moment_of_today(text: str, now: datetime) -> datetime:
    """Return the moment of an RFC 3339 time, or of the last HH:MM[:SS] (UTC); raises BadInputError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None and len(text) > 8:
        with contextlib.suppress(OverflowError):
            return at.astimezone(UTC)
    for pattern in ("%H:%M:%S", "%H:%M"):
        try:
            clock = datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        today = now.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
        return today if today <= now else today - timedelta(days=1)
    raise BadInputError(f"{text!r} is no time like 2026-11-24T10:32:00Z, or 10:32 of today (UTC).")


def when(at: datetime | None) -> str:
    """Return a time for a terminal."""
    return "the beginning" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"
