"""The store: FM2xx."""

from __future__ import annotations

from ferryman.domain.errors.base import FerrymanError


class StoreError(FerrymanError):
    """The store cannot do what was asked."""

    code = "FM200"


class DatabaseIsFolder(StoreError):
    """The database path names a folder."""

    code = "FM201"


class DatabaseReadOnly(StoreError):
    """The database or its folder cannot be written."""

    code = "FM202"


class DatabaseFolderMissing(StoreError):
    """The folder of the database does not exist."""

    code = "FM203"


class NotADatabase(StoreError):
    """The file is not a SQLite database, or not one of Ferryman's."""

    code = "FM204"


class SchemaTooNew(StoreError):
    """A newer Ferryman has migrated the database."""

    code = "FM205"


class NetworkFileSystem(StoreError):
    """The database lies where SQLite's locks do not hold."""

    code = "FM206"


class StoreBusy(StoreError):
    """Somebody else held the write lock for too long; nothing was written."""

    code = "FM207"


class StoreFull(StoreError):
    """The disk is full; nothing was written."""

    code = "FM208"


class StoreFailed(StoreError):
    """The database reported an error that no other code names."""

    code = "FM209"


class StoreClosed(StoreError):
    """The store was used after it was closed."""

    code = "FM210"


class IllegalTransition(StoreError):
    """A change of status that the transition table does not have."""

    code = "FM211"


class NodeNotLive(StoreError):
    """A node that was rescued, or never registered, tried to claim."""

    code = "FM212"


class SqliteTooOld(StoreError):
    """This Python comes with a SQLite that lacks what the store needs."""

    code = "FM213"


class DatabaseMissing(StoreError):
    """There is no database whose jobs a command could show or change."""

    code = "FM214"


class TransactionImpossible(StoreError):
    """The transaction cannot be had, or the connection cannot be used for it."""

    code = "FM216"


class TransactionTimedOut(StoreError, TimeoutError):
    """A handler's transaction lasted longer than TRANSACTION_TIMEOUT and was rolled back."""

    code = "FM217"


class StoreUnreachable(StoreError):
    """The database server cannot be reached, or the connection to it was lost; what was asked may have been done."""

    code = "FM218"


class SchemaMissing(StoreError):
    """The database does not have the tables of this version of Ferryman."""

    code = "FM219"


class ServerTooOld(StoreError):
    """The PostgreSQL server lacks what the store needs."""

    code = "FM220"


class DriverMissing(StoreError):
    """The library that speaks to this kind of database is not installed."""

    code = "FM221"


class CommitUnknown(StoreError):
    """The connection was lost while a handler's transaction committed, and it cannot be found out whether it did."""

    code = "FM222"
