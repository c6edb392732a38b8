"""Each test has a database of its own, and none is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.postgres import admin, databases
from tests.postgres.binaries import Binaries
from tests.postgres.cluster import Cluster
from tests.postgres.databases import Databases, lent, new_folder


def prepare(url: str) -> None:
    """What a migration does."""
    with admin.connected(url) as connection:
        connection.execute("CREATE TABLE job (id int PRIMARY KEY)")


def tables(url: str) -> list[str]:
    with admin.connected(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [name for (name,) in rows]


def names(cluster: Cluster) -> set[str]:
    with admin.connected(cluster.url()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
        return {name for (name,) in rows}


def test_a_fresh_database_is_as_the_template_which_is_prepared_once(cluster: Cluster) -> None:
    prepared: list[str] = []

    def noted(url: str) -> None:
        prepared.append(url)
        prepare(url)

    made = Databases(cluster.url(), noted)
    first, second = made.fresh(), made.fresh()
    with admin.connected(first) as connection:
        connection.execute("INSERT INTO job VALUES (1)")
    with admin.connected(second) as connection:
        assert connection.execute("SELECT count(*) FROM job").fetchone() == (0,)
    assert len(prepared) == 1
    assert len({*prepared, first, second}) == 3
    made.close()


def test_nothing_is_prepared_for_those_who_want_an_empty_one(cluster: Cluster) -> None:
    made = Databases(cluster.url(), lambda url: pytest.fail("nobody asked for it"))
    assert tables(made.empty()) == []
    made.close()


def test_without_anything_to_prepare_all_are_empty(cluster: Cluster) -> None:
    made = Databases(cluster.url())
    assert tables(made.fresh()) == []
    made.close()


def test_what_fails_to_prepare_is_an_error_each_time_and_leaves_nothing(cluster: Cluster) -> None:
    def fail(url: str) -> None:
        raise OSError(url)

    made = Databases(cluster.url(), fail)
    for _ in range(2):
        with pytest.raises(OSError, match="ferryman_test_"):
            made.fresh()
    made.close()
    assert names(cluster) == set()


def test_who_is_connected_does_not_keep_a_database(cluster: Cluster) -> None:
    made = Databases(cluster.url())
    url = made.fresh()
    with psycopg.connect(url) as connection:
        made.drop(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert names(cluster) == set()
    made.close()


def test_only_its_own_are_dropped(cluster: Cluster) -> None:
    made = Databases(cluster.url())
    with pytest.raises(ValueError, match="postgres was not made here"):
        made.drop(cluster.url())
    made.close()


def test_on_a_server_that_is_named_nothing_is_started_and_nothing_left(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(databases, "Cluster")
    environ = {"FERRYMAN_TEST_DSN": cluster.url()}
    with lent(environ, prepare) as ours, lent(environ) as theirs:
        url = ours.fresh()
        assert urlsplit(url).netloc == urlsplit(cluster.url()).netloc
        assert tables(url) == ["job"]
        assert theirs.fresh() != url
        assert len(names(cluster)) == 3
    assert names(cluster) == set()


def test_the_cluster_of_a_run_goes_with_it(any_binaries: Binaries) -> None:
    made: list[Cluster] = []

    class Noted(Cluster):
        def start(self) -> None:
            made.append(self)
            super().start()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "Cluster", Noted)
        with lent({"FERRYMAN_TEST_POSTGRES": str(any_binaries.folder)}, prepare) as ours:
            assert tables(ours.fresh()) == ["job"]
    assert not made[0].is_up
    assert not made[0].folder.exists()


def test_any_test_may_ask_for_a_database(postgres: Databases) -> None:
    url = postgres.empty()
    assert tables(url) == []
    postgres.drop(url)


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("postgresql://ann:p%40ss@db:5433/jobs?sslmode=require", "postgresql://ann:p%40ss@db:5433/x?sslmode=require"),
        ("postgresql:///jobs?host=/run/postgresql", "postgresql:///x?host=/run/postgresql"),
        ("postgresql://db", "postgresql://db/x"),
    ],
)
def test_another_database_is_at_the_same_place(url: str, other: str) -> None:
    assert admin.with_database(url, "x") == other


def test_a_cluster_lives_in_memory_only_where_there_is_room(tmp_path: Path) -> None:
    for memory, room, parent in ((tmp_path, 1, tmp_path), (tmp_path, 1 << 62, None), (tmp_path / "none", 1, None)):
        folder = new_folder(memory, room)
        assert folder.parent == (parent or Path(tempfile.gettempdir()))
        folder.rmdir()
