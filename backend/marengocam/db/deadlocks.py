"""What a human asks for is begun anew where the database ended it because of a deadlock, instead of being refused."""

import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import asyncpg

from marengocam.core.errors import HubUnavailableError

TRIES = 5  # the database finds a deadlock after a second (`deadlock_timeout`)
P = ParamSpec("P")
T = TypeVar("T")
_LOG = logging.getLogger(__name__)


def begun_anew(call: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Have a call that is one transaction made again after a deadlock: nothing of it was written then.

    Ingest saves tracks, and the resolver decides on them, while a word touches the same ones: each locks rows in an
    order of its own. Both of those try again by themselves; a human would be told that the database is away.
    """

    @functools.wraps(call)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in reversed(range(TRIES)):
            try:
                return await call(*args, **kwargs)
            except HubUnavailableError as error:
                if not left or not isinstance(error.__cause__, asyncpg.DeadlockDetectedError):
                    raise
                _LOG.info("%s is begun anew after a deadlock", getattr(call, "__qualname__", call))
        raise AssertionError

    return again
