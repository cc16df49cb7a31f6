"""Each error of the driver becomes the one of ours that tells the caller what to do."""

import asyncio

import asyncpg
import pytest

from marengocam.core.errors import (
    BadInputError,
    ConflictError,
    HubUnavailableError,
    MarengoCamError,
    NotFoundError,
    StoreError,
)
from marengocam.db.faults import our_errors, unsure

CLIENT_DATA_ERROR = asyncpg.exceptions._base.DataError


def raised(error):
    with pytest.raises(Exception) as caught, our_errors():  # noqa: PT011 - which one is the question
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("driver", "ours"),
    [
        (TimeoutError(), HubUnavailableError),
        (ConnectionRefusedError("refused"), HubUnavailableError),
        (FileNotFoundError("no socket"), HubUnavailableError),
        (asyncpg.InterfaceError("connection is closed"), HubUnavailableError),
        (asyncpg.ConnectionDoesNotExistError("gone"), HubUnavailableError),
        (asyncpg.AdminShutdownError("shut down"), HubUnavailableError),
        (asyncpg.CannotConnectNowError("starting"), HubUnavailableError),
        (asyncpg.TooManyConnectionsError("full"), HubUnavailableError),
        (asyncpg.DiskFullError("full"), HubUnavailableError),
        (asyncpg.InvalidPasswordError("no"), HubUnavailableError),
        (asyncpg.DeadlockDetectedError("deadlock"), HubUnavailableError),
        (asyncpg.UndefinedTableError("no table"), HubUnavailableError),
        (asyncpg.UniqueViolationError("twice"), ConflictError),
        (asyncpg.ForeignKeyViolationError("no parent"), NotFoundError),
        (asyncpg.CheckViolationError("check"), BadInputError),
        (asyncpg.NumericValueOutOfRangeError("range"), BadInputError),
        (CLIENT_DATA_ERROR("invalid input for query argument $1: 'hunter2'"), BadInputError),
        (asyncpg.InsufficientPrivilegeError("no"), MarengoCamError),
    ],
)
def test_an_error_of_the_driver_becomes_ours(driver, ours):
    error = raised(driver)
    assert type(error) is ours
    assert error.__cause__ is driver
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("other", [KeyError("x"), ValueError("x"), StoreError("x"), asyncio.CancelledError()])
def test_what_is_not_the_drivers_passes(other):
    with pytest.raises(type(other)) as caught, our_errors():
        raise other
    assert caught.value is other


def test_a_broken_rule_of_the_schema_is_told_in_the_owners_words():
    error = asyncpg.UniqueViolationError("duplicate key value violates unique constraint")
    error.constraint_name = "person_by_name"
    assert str(raised(error)) == "There is a person of that name already."


def test_values_of_a_row_that_was_refused_are_not_told():
    error = asyncpg.CheckViolationError("new row violates a check")
    error.detail = "Failing row contains (hunter2)."
    assert "hunter2" not in str(raised(error))


def test_only_errors_that_leave_the_connection_in_doubt_cost_it():
    assert unsure(TimeoutError())
    assert unsure(asyncio.CancelledError())
    assert not unsure(asyncpg.UniqueViolationError("twice"))
    assert not unsure(ValueError("ours"))
