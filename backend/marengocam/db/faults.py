"""The one place where the driver's errors become ours."""

import contextlib
from collections.abc import Iterator

import asyncpg

from marengocam.core.errors import ConflictError, HubUnavailableError, MarengoCamError

_AWAY = (
    OSError,  # refused, reset, no such socket; TimeoutError is one of them
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, cannot connect now, statement cancelled
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
_NOT_READY = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError)
_CLASH = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


@contextlib.contextmanager
def our_errors() -> Iterator[None]:
    """Turn what the driver raises into HubUnavailableError, ConflictError or MarengoCamError, causes chained."""
    try:
        yield
    except _AWAY as error:
        raise HubUnavailableError(f"The database does not answer ({_reason(error)}); it is tried again.") from error
    except _NOT_READY as error:
        raise HubUnavailableError("The database is not prepared yet: run `marengocam migrate`.") from error
    except _CLASH as error:
        raise ConflictError(f"It clashes with what is already there: {_reason(error)}.") from error
    except asyncpg.PostgresError as error:
        raise MarengoCamError(f"The database refused: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    """Return a short reason; the driver's own texts name hosts and tables, never passwords."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
