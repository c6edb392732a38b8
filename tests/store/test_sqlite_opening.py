"""Every path and file that cannot be the database gets a coded error, and nothing is harmed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.errors import (
    DatabaseFolderMissing,
    DatabaseIsFolder,
    DatabaseReadOnly,
    NetworkFileSystem,
    NotADatabase,
    SchemaTooNew,
    SqliteTooOld,
    StoreBusy,
    StoreClosed,
    StoreFailed,
    StoreFull,
)
from ferryman.store.sqlite import database, filesystem
from ferryman.store.sqlite.failures import explain
from ferryman.store.sqlite.statements import migrations
from tests.store.files import new_job, sqlite_store

pytestmark = pytest.mark.anyio

NOBODY = 65534
OPEN_AS_NOBODY = """
import asyncio, os, sys
from pathlib import Path
from ferryman.domain.errors import FerrymanError
from tests.store.files import sqlite_store
store = sqlite_store(Path(sys.argv[1]))
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
try:
    asyncio.run(store.open())
except FerrymanError as error:
    print(error)
"""


async def test_a_new_file_is_made_and_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    first = sqlite_store(path)
    await first.open()
    await first.insert([new_job("a")], 0)
    await first.close()
    second = sqlite_store(path)
    await second.open()
    assert await second.get("a", 0) is not None
    await second.close()


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseIsFolder, match=r"is a folder.*jobs\.db"):
        await sqlite_store(tmp_path).open()


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFolderMissing, match="mkdir -p"):
        await sqlite_store(tmp_path / "none" / "jobs.db").open()


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Charon, " * 100)
    with pytest.raises(NotADatabase):
        await sqlite_store(path).open()
    assert path.read_text() == "Dear Charon, " * 100


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(NotADatabase, match="another program"):
        await sqlite_store(path).open()


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(database.open_migrated(path)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    with pytest.raises(SchemaTooNew, match=r"schema 9999.*[Uu]pgrade"):
        await sqlite_store(path).open()


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkFileSystem, match="nfs4"):
        database.check_path(tmp_path / "jobs.db", kind_of=lambda _: "nfs4")


def test_the_longest_mount_point_tells_the_file_system(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    share = tmp_path / "my share"
    share.mkdir()
    text = f"disk / ext4 rw 0 0\nserver {str(share).replace(' ', chr(92) + '040')} nfs4 rw 0 0\nbroken line\n"
    mounts.write_text(text)
    assert filesystem.kind_of(share / "jobs.db", mounts) == "nfs4"
    assert filesystem.kind_of(Path("/elsewhere"), mounts) == "ext4"
    assert filesystem.kind_of(tmp_path, tmp_path / "absent") is None


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_place_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir()
    path = folder / "jobs.db"
    database.open_migrated(path).close()
    for each in (path, *folder.glob("jobs.db-*")):
        each.chmod(0o666 if what == "folder" else 0o444)
    folder.chmod(0o555 if what == "folder" else 0o777)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        if parent.stat().st_uid == os.getuid():
            parent.chmod(0o755)
    script = OPEN_AS_NOBODY.format(nobody=NOBODY)
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    result = subprocess.run(  # noqa: PLW1510 - the text tells
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, env={"PYTHONPATH": paths}, timeout=60
    )
    assert "FM202" in result.stdout, result.stdout + result.stderr
    folder.chmod(0o755)


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    with pytest.raises(StoreClosed):
        await store.get("a", 0)
    await store.open()
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StoreClosed):
        await store.insert([new_job("a")], 0)


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jobs.db"
    scripts = [(1, "CREATE TABLE one (x);"), (2, "CREATE TABLE two (x);\nCREATE TABLE one (x);\n")]
    monkeypatch.setattr(database, "migrations", lambda: scripts)
    with pytest.raises(Exception, match="already exists"):
        database.open_migrated(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("one",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_commits_are_synced(tmp_path: Path) -> None:
    with closing(database.open_migrated(tmp_path / "jobs.db")) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA mmap_size").fetchone() == (0,)


def test_without_permission_the_path_is_refused_before_sqlite_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(DatabaseReadOnly, match="permission"):
        database.check_path(tmp_path / "jobs.db")


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    barrier, answers = threading.Barrier(8), list[object]()

    def open_it() -> None:
        barrier.wait()
        try:
            with closing(database.open_migrated(tmp_path / "jobs.db")) as connection:
                answers.append(connection.execute("SELECT count(*) FROM job").fetchone())
        except Exception as error:
            answers.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(0,)] * 8


def test_an_inspection_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    database.inspect(path)
    assert list(tmp_path.iterdir()) == []
    database.open_migrated(path).close()
    database.inspect(path)
    (tmp_path / "letter.txt").write_text("Dear Charon, " * 100)
    with pytest.raises(NotADatabase):
        database.inspect(tmp_path / "letter.txt")


def test_a_migration_that_another_process_has_done_meanwhile_is_not_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "jobs.db"
    database.open_migrated(path).close()
    number = database.newest_schema() + 1
    steps = [*migrations(), (number, "CREATE TABLE two (x);")]
    monkeypatch.setattr(database, "migrations", lambda: steps)
    with closing(database.open_migrated(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (number,)
        assert connection.execute("SELECT count(*) FROM two").fetchone() == (0,)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.SQLITE_LOCKED, StoreBusy),
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_READONLY, DatabaseReadOnly),
        (sqlite3.SQLITE_CANTOPEN, DatabaseReadOnly),
        (sqlite3.SQLITE_NOTADB, NotADatabase),
        (sqlite3.SQLITE_CORRUPT, StoreFailed),
        (None, StoreFailed),
    ],
)
def test_each_of_sqlites_errors_has_one_of_ours(code: int | None, expected: type[Exception]) -> None:
    error = sqlite3.OperationalError("trouble")
    if code is not None:
        error.sqlite_errorcode = code
    assert type(explain(error, Path("jobs.db"))) is expected


def test_a_file_that_sqlite_cannot_open_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseReadOnly, match="unable to open"):
        database.connect(tmp_path / "none" / "jobs.db")


def test_a_sqlite_that_does_not_know_our_sql_is_refused() -> None:
    database.check_version((3, 38, 0))
    with pytest.raises(SqliteTooOld, match=r"3\.37\.2"):
        database.check_version((3, 37, 2))
