"""Opening a SQLite file: what it must be, how it is connected, how its schema is brought up to date."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from ferryman.domain.errors import (
    DatabaseFolderMissing,
    DatabaseIsFolder,
    DatabaseReadOnly,
    NetworkFileSystem,
    NotADatabase,
    SchemaTooNew,
    SqliteTooOld,
)
from ferryman.store.sqlite import filesystem
from ferryman.store.sqlite.failures import explain
from ferryman.store.sqlite.liveness import nodes_folder
from ferryman.store.sqlite.statements import migrations

Kind = TypeVar("Kind", bound=sqlite3.Connection)
APPLICATION_ID: Final = 0x46455252
"""'FERR': tells our files from other SQLite databases."""
OLDEST: Final = (3, 38, 0)
CHECKPOINT_PAGES: Final = 4000
PATIENCE: Final = 10.0
"""Seconds for which opening and reading wait for a lock; the writer has a wait of its own."""
PRAGMAS: Final = (
    ("cache_size", "-8192"),  # KiB
    ("mmap_size", "0"),  # a file cut short by another program must be an error, not a crash
    ("synchronous", "FULL"),  # NORMAL loses accepted jobs at a power cut
    ("temp_store", "MEMORY"),
    ("wal_autocheckpoint", "0"),  # see checkpoint.py
)


def check_version(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite that does not know our SQL (STRICT tables, `->>`).

    Raises:
        SqliteTooOld
    """
    if version < OLDEST:
        raise SqliteTooOld(
            f"This Python comes with SQLite {'.'.join(map(str, version))}.",
            why=f"Ferryman needs {'.'.join(map(str, OLDEST))} or later.",
            hint="Use a newer Python, or a system with a newer SQLite.",
        )


def check_path(path: Path, kind_of: Callable[[Path], str | None] = filesystem.kind_of) -> None:
    """Refuse a path that cannot hold the database, before SQLite does so in its own words.

    Raises:
        DatabaseIsFolder, DatabaseFolderMissing, DatabaseReadOnly, NetworkFileSystem
    """
    folder = path.parent
    if path.is_dir():
        raise DatabaseIsFolder(f"The database path {path} is a folder.", hint=f"Name a file, such as {path}/jobs.db.")
    if not folder.is_dir():
        raise DatabaseFolderMissing(
            f"The folder {folder} of the database does not exist.", hint=f"Create it: mkdir -p {folder}"
        )
    if not os.access(path if path.exists() else folder, os.W_OK) or not os.access(folder, os.W_OK):
        raise DatabaseReadOnly(
            f"The database {path} cannot be written.",
            why="This user lacks write permission for the file or its folder.",
            hint="SQLite writes two files beside the database, so the folder must be writable, too.",
        )
    kind = kind_of(folder)
    if filesystem.is_network(kind):
        raise NetworkFileSystem(
            f"The database {path} lies on a network file system ({kind}).",
            why="SQLite's locks do not hold there, so jobs could run twice.",
            hint="Put the file on a local disk.",
        )


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with our pragmas.

    Raises:
        StoreError: SQLite cannot open the file, or it is not a database.
    """
    return connect_as(sqlite3.Connection, path, read_only=read_only)


def connect_as(kind: type[Kind], path: Path, *, read_only: bool = False) -> Kind:
    """The same, of a class of connections. Raises as `connect`."""
    try:
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, factory=kind
        )
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        for name, value in PRAGMAS:
            connection.execute(f"PRAGMA {name} = {value}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # only now does SQLite look at the file
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    return connection


def open_migrated(path: Path) -> sqlite3.Connection:
    """A connection for writing, to a file whose schema is up to date; many processes may open a new file at once.

    Raises:
        StoreError: see `connect` and `migrate`.
    """
    connection = connect(path)
    try:
        with _alone(path):
            migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Hold a lock that keeps other processes from opening the file: the change to WAL fails beside any reader."""
    folder = nodes_folder(path)
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / "open.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def inspect(path: Path) -> int:
    """Refuse what `check_path` and `open_migrated` would refuse, without making or changing the file.

    Returns:
        The number of its schema; 0 where there is none yet.

    Raises:
        StoreError: see there.
    """
    check_path(path)
    if not path.exists():
        return 0
    with closing(connect(path, read_only=True)) as connection:
        return _version(connection, path, newest_schema())


def newest_schema() -> int:
    """The number of the schema that this version works with."""
    return migrations()[-1][0]


def upgrade_script(schema: int) -> str:
    """The SQL that `migrate` would run on a file with this schema; empty where nothing is missing."""
    missing = [(number, text) for number, text in migrations() if number > schema]
    steps = [
        f"-- schema {number}\nBEGIN IMMEDIATE;\n{text.strip()}\nPRAGMA application_id = {APPLICATION_ID};\n"
        f"PRAGMA user_version = {number};\nCOMMIT;\n"
        for number, text in missing
    ]
    return "\n".join(["PRAGMA journal_mode = WAL;\n", *steps]) if steps else ""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, each migration in a transaction of its own under the write lock.

    Raises:
        NotADatabase: the file belongs to another program.
        SchemaTooNew: a newer Ferryman was here.
    """
    steps = migrations()
    newest = steps[-1][0]
    if _version(connection, path, newest) == newest:
        return
    connection.execute("PRAGMA journal_mode = WAL")
    for number, script in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection, path, newest) < number:
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """The schema's number; 0 for an empty file."""
    # tables first: another process may be migrating between these reads
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if owner != APPLICATION_ID and tables:
        raise NotADatabase(
            f"{path} is a SQLite database of another program.",
            hint="Give Ferryman a file of its own in DATABASE_URL.",
        )
    if version > newest:
        raise SchemaTooNew(
            f"The database {path} has schema {version}; this version knows {newest}.",
            why="A newer Ferryman has migrated it.",
            hint="Upgrade this installation: pip install --upgrade ferryman",
        )
    return version


def _statements(script: str) -> list[str]:
    """Cut a script into statements."""
    found: list[str] = []
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return found
