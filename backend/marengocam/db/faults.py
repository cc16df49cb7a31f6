"""The one place where the driver's errors become ours."""

import asyncio
import contextlib
from collections.abc import Iterator

import asyncpg

from marengocam.core.errors import (
    BadInputError,
    ConflictError,
    HubUnavailableError,
    MarengoCamError,
    NotFoundError,
)

_AWAY = (
    OSError,  # refused, reset, no such socket; TimeoutError is one of them
    asyncpg.InterfaceError,  # the connection is closed; those about values are sorted out first
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, cannot connect now, statement cancelled
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # it takes no connections now, as while it is maintained
    asyncpg.PostgresSystemError,  # its disk fails
    asyncpg.ReadOnlySQLTransactionError,  # a standby: the primary is elsewhere now
    asyncpg.exceptions.InvalidCachedStatementError,  # the schema was brought up to date meanwhile
)
_NOT_READY = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedObjectError,
)
_UNFIT = (asyncpg.CheckViolationError, asyncpg.NotNullViolationError, asyncpg.DataError)
_CONSTRAINTS = {
    "camera_pkey": "A camera with that id is there already: choose another name.",
    "camera_main_url_check": "The address must begin with rtsp://, rtsps://, http://, https:// or file:// and must "
    "not hold a user or password: give those in their own fields.",
    "camera_sub_url_check": "The second address must begin with rtsp://, rtsps://, http://, https:// or file:// and "
    "must not hold a user or password: give those in their own fields.",
    "camera_name_check": "A camera's name must have 1 to 100 characters.",
    "camera_camera_id_check": "A camera's id must be 1 to 63 of a-z, 0-9 and _, and must not begin with _.",
    "zone_camera_id_name_key": "Two zones of a camera cannot have the same name.",
    "zone_pkey": "That zone belongs to another camera: leave its id out to make a new one.",
    "zone_name_check": "A zone's name must have 1 to 100 characters.",
    "zone_polygon_check": "A zone needs at least three points.",
    "person_by_name": "There is a person of that name already.",
    "person_name_check": "A person's name must have 1 to 100 characters.",
    "rule_name_key": "There is a rule of that name already.",
    "rule_name_check": "A rule's name must have 1 to 100 characters.",
    "rule_mqtt_topic_check": "An MQTT topic must have 1 to 1000 characters, without # and +.",
    "token_name_check": "A token's name must have 1 to 100 characters.",
}


@contextlib.contextmanager
def our_errors() -> Iterator[None]:
    """Turn what the driver raises into our errors, causes chained.

    HubUnavailableError: try again. ConflictError, BadInputError, NotFoundError: what was written does not fit.
    MarengoCamError: anything else that the database refuses.
    """
    try:
        yield
    except Exception as error:
        translated = _ours(error)
        if translated is None:
            raise
        raise translated from error


def unsure(error: BaseException) -> bool:
    """Return whether nobody knows what state the connection is in after an error."""
    return isinstance(error, (asyncio.CancelledError, GeneratorExit, *_AWAY))


def refusal(error: BaseException, *, known: bool) -> str:
    """Return why the server does not let this account in, '' when an error (or what it came from) is none of that.

    A pooler has one word for all that its server answers: it is a refusal only of who is not `known` there yet.
    """
    kinds = (asyncpg.InvalidAuthorizationSpecificationError, *(() if known else (asyncpg.ProtocolViolationError,)))
    return next((_reason(one) for one in (error, error.__cause__) if isinstance(one, kinds)), "")


def _ours(error: Exception) -> MarengoCamError | None:
    ours: MarengoCamError | None = None
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        ours = BadInputError("A value is of the wrong kind or out of range.")
    elif isinstance(error, _AWAY):
        ours = HubUnavailableError(f"The database does not answer ({_reason(error)}); it is tried again.")
    elif isinstance(error, _NOT_READY):
        ours = HubUnavailableError("The database is not prepared yet: run `marengocam migrate`.")
    elif isinstance(error, asyncpg.UniqueViolationError):
        ours = ConflictError(_sentence(error) or f"It clashes with what is already there: {_reason(error)}.")
    elif isinstance(error, asyncpg.ForeignKeyViolationError):
        ours = NotFoundError("What it belongs to is not there any more.")
    elif isinstance(error, _UNFIT):
        ours = BadInputError(_sentence(error) or f"The database refuses a value: {_reason(error)}.")
    elif isinstance(error, asyncpg.PostgresError):
        ours = MarengoCamError(f"The database refused: {_reason(error)}.")
    return ours


def _sentence(error: asyncpg.PostgresError) -> str | None:
    return _CONSTRAINTS.get(getattr(error, "constraint_name", None) or "")


def _reason(error: BaseException) -> str:
    """Return a short reason; the first line of the driver's texts names hosts and tables, never values."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
