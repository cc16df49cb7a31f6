"""Reading what stands in a request's path and query, with errors that name the field."""

from datetime import UTC, datetime
from uuid import UUID

from aiohttp import web

from marengocam.core.errors import NotFoundError
from marengocam.web.answers import InputFieldError


def path_uuid(request: web.Request, name: str) -> UUID:
    """Return an id from the path; what is no id does not exist."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise NotFoundError("There is nothing at this address.") from None


def moment(request: web.Request, name: str) -> datetime | None:
    """Return a time from the query, or None when it is not given."""
    text = request.query.get(name)
    if not text:
        return None
    try:
        # A plus sign in a query arrives as a space.
        return aware(datetime.fromisoformat(text.replace(" ", "+")), name)
    except ValueError:
        raise InputFieldError(f"{name} must be a time such as 2026-11-24T10:15:00Z.", name) from None


def aware(at: datetime, name: str) -> datetime:
    """Return a time in UTC; one without a time zone is refused."""
    if at.tzinfo is None:
        raise InputFieldError(f"{name} needs a time zone, such as 2026-11-24T10:15:00Z.", name)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise InputFieldError(f"{name} lies outside of all calendars.", name) from None


def uuid(request: web.Request, name: str) -> UUID | None:
    """Return an id from the query, or None when it is not given."""
    text = request.query.get(name)
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InputFieldError(f"{name} must be an id.", name) from None


def number(request: web.Request, name: str, default: int, lowest: int, highest: int) -> int:
    """Return a whole number from the query."""
    text = request.query.get(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        raise InputFieldError(f"{name} must be a whole number from {lowest} to {highest}.", name)
    return value


def flag(request: web.Request, name: str) -> bool:
    """Return a yes or no from the query."""
    text = request.query.get(name, "").lower()
    if text not in {"", "0", "1", "true", "false"}:
        raise InputFieldError(f"{name} must be true or false.", name)
    return text in {"1", "true"}
