"""Each error of asyncpg's becomes one with a code, for people."""

from __future__ import annotations

import asyncpg
import pytest

from ferryman.domain.errors import (
    DatabaseReadOnly,
    SchemaMissing,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreUnreachable,
)
from ferryman.store.postgres.failures import explain, lost

PLACE = "db:5432, database shop, user ada"


@pytest.mark.parametrize(
    ("error", "expected", "says"),
    [
        (asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"), DatabaseReadOnly, "cannot execute INSERT"),
        (asyncpg.DeadlockDetectedError("deadlock detected"), StoreBusy, "deadlock detected"),
        (asyncpg.QueryCanceledError("statement timeout"), StoreBusy, "Nothing was written"),
        (asyncpg.LockNotAvailableError("lock timeout"), StoreBusy, "Somebody else's transaction"),
        (asyncpg.DiskFullError("no space"), StoreFull, "Nothing was written"),
        (asyncpg.UndefinedTableError('relation "ferryman.job" does not exist'), SchemaMissing, "ferryman.job"),
        (asyncpg.InsufficientPrivilegeError("permission denied for table job"), StoreFailed, "permission denied"),
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), StoreUnreachable, "Sorry, too many"),
        (asyncpg.InvalidPasswordError('password authentication failed for user "ada"'), StoreUnreachable, "Password"),
        (asyncpg.InterfaceError("connection is closed"), StoreUnreachable, "The connection was lost."),
        (ConnectionResetError(), StoreUnreachable, "ConnectionResetError."),
        (TimeoutError(), StoreUnreachable, "It did not answer in time."),
        (asyncpg.DataError("first\nsecond"), StoreFailed, "failed: first."),
    ],
)
def test_an_error_says_where_and_why(error: Exception, expected: type[StoreError], says: str) -> None:
    explained = explain(error, PLACE)
    assert type(explained) is expected
    assert PLACE in explained.what or isinstance(explained, StoreFull)
    assert says in f"{explained.what} {explained.why}"
    assert explained.hint


@pytest.mark.parametrize(
    ("error", "is_lost"),
    [
        (asyncpg.InterfaceError("cannot call execute(): connection is closed"), True),
        (asyncpg.exceptions.ClientConfigurationError("sslmode is wrong"), False),
        (asyncpg.AdminShutdownError("terminating connection"), True),
        (OSError(), True),
        (asyncpg.DeadlockDetectedError("deadlock detected"), False),
    ],
)
def test_whether_the_connection_can_be_used_again(error: Exception, *, is_lost: bool) -> None:
    assert lost(error) is is_lost
