"""A cluster of our own: how it starts, stops, dies, and that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.postgres import admin, guard, ports
from tests.postgres import cluster as module
from tests.postgres.binaries import Binaries, find
from tests.postgres.cluster import Cluster, ServerFailed
from tests.postgres.databases import new_folder

PATIENCE = 60.0


def ask(url: str, query: str) -> Any:
    with admin.connected(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def postmaster(cluster: Cluster) -> int:
    return int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])


def processes(cluster: Cluster) -> list[int]:
    """All that have to do with a cluster, its guard too: their command lines or folders name it."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = str((process / "cwd").readlink())
            line = (process / "cmdline").read_text("utf-8", "replace")
        except OSError:
            continue
        if str(cluster.folder) in place or (str(cluster.folder) in line and int(process.name) != os.getpid()):
            found.append(int(process.name))
    return found


def test_it_is_a_server_of_that_version_with_settings_for_tests(cluster: Cluster, binaries: Binaries) -> None:
    with admin.connected(cluster.url()) as connection:
        told = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
    assert int(told["server_version_num"]) // 10_000 == binaries.version
    expected = {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "on",
        "autovacuum": "on",
        "max_connections": "200",
        "server_encoding": "UTF8",
    }
    assert {name: told[name] for name in expected} == expected
    assert ask(cluster.url(), "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"


def test_it_does_not_run_as_root(cluster: Cluster) -> None:
    assert Path(f"/proc/{postmaster(cluster)}").stat().st_uid != 0


def test_databases_are_made_from_templates_and_dropped(cluster: Cluster) -> None:
    cluster.create("mould")
    with admin.connected(cluster.url("mould")) as connection:
        connection.execute("CREATE TABLE jar AS SELECT 7 AS biscuits")
    cluster.create("cast", "mould")
    assert ask(cluster.url("cast"), "SELECT biscuits FROM jar") == 7
    for name in ("cast", "mould", "never made"):
        cluster.drop(name)
    assert ask(cluster.url(), "SELECT count(*) FROM pg_database WHERE NOT datistemplate") == 1


def test_a_restart_keeps_data_and_address_but_no_connection(cluster: Cluster) -> None:
    url = cluster.url()
    cluster.create("kept")
    with psycopg.connect(url) as connection:
        cluster.restart()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert cluster.url() == url
    assert ask(cluster.url("kept"), "SELECT 1") == 1
    cluster.drop("kept")


def test_a_kill_leaves_no_process_and_what_was_committed_is_there_afterwards(cluster: Cluster) -> None:
    with (
        contextlib.closing(admin.connected(cluster.url())) as connection,
        contextlib.closing(admin.connected(cluster.url())) as open,
    ):
        connection.execute("CREATE TABLE lasting (number int)")
        connection.execute("INSERT INTO lasting VALUES (1)")
        open.execute("BEGIN")
        open.execute("INSERT INTO lasting VALUES (2)")
        assert len(processes(cluster)) > 3
        cluster.kill()
        assert not cluster.is_up
        assert processes(cluster) == []
    cluster.start()
    assert ask(cluster.url(), "SELECT array_agg(number) FROM lasting") == [1]
    assert "was not properly shut down" in cluster.log


def test_to_start_or_stop_twice_changes_nothing(cluster: Cluster) -> None:
    process = postmaster(cluster)
    cluster.start()
    assert postmaster(cluster) == process
    cluster.stop()
    cluster.stop()
    cluster.kill()
    assert not cluster.is_up


def test_a_server_that_ended_by_itself_is_not_up_and_can_be_started(cluster: Cluster) -> None:
    process = cluster._guard
    assert process is not None
    os.kill(postmaster(cluster), signal.SIGINT)
    process.wait(PATIENCE)
    assert not cluster.is_up
    cluster.start()
    assert ask(cluster.url(), "SELECT 1") == 1


def test_a_guard_that_was_killed_is_told_of(any_binaries: Binaries) -> None:
    cluster = Cluster(new_folder(), any_binaries)
    with cluster:
        server, process = postmaster(cluster), cluster._guard
        assert process is not None
        process.kill()
        process.wait(PATIENCE)
        end = os.pidfd_open(server)
        os.kill(server, signal.SIGINT)
        assert select.select([end], [], [], PATIENCE)[0]
        os.close(end)
        with pytest.raises(ServerFailed, match="Its guard was killed by SIGKILL"):
            cluster.kill()
    assert not cluster.folder.exists()


def test_why_its_guard_could_not_go_on_is_told(
    any_binaries: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, failing = Path(str(guard.__file__)), tmp_path / "guard.py"
    failing.write_text(
        ours.read_text().replace("self._server.send_signal(signal.SIGINT)", "raise OSError(5, 'the disk is odd')")
    )
    monkeypatch.setattr(guard, "__file__", str(failing))
    cluster = Cluster(new_folder(), any_binaries)
    cluster.start()
    with pytest.raises(ServerFailed, match=r"(?s)Its guard could not go on.*the disk is odd"):
        cluster.close()
    assert not cluster.folder.exists()
    assert processes(cluster) == []


def test_a_durable_one_syncs_what_it_writes_and_goes_like_any_other(any_binaries: Binaries) -> None:
    cluster = Cluster(new_folder(), any_binaries, durable=True, settings={"cluster_name": "Ann's"})
    with cluster, admin.connected(cluster.url()) as connection:
        told = dict(connection.execute("SELECT name, current_setting(name) FROM pg_settings").fetchall())
    expected = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "autovacuum": "on",
        "shared_buffers": "512MB",
        "max_wal_size": "4GB",
        "cluster_name": "Ann's",
    }
    assert {name: told[name] for name in expected} == expected
    assert not cluster.folder.exists()
    assert processes(cluster) == []


def test_a_server_that_does_not_start_says_why_and_leaves_nothing(any_binaries: Binaries) -> None:
    cluster = Cluster(new_folder(), any_binaries, settings={"shared_buffers": "plenty"})
    with pytest.raises(ServerFailed, match='invalid value for parameter "shared_buffers": "plenty"'):
        cluster.start()
    assert not cluster.folder.exists()
    assert processes(cluster) == []


def test_a_folder_with_something_in_it_is_not_touched(any_binaries: Binaries, tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(ServerFailed, match="is not empty"):
        Cluster(tmp_path, any_binaries).start()
    assert (tmp_path / "letters").read_text() == "dear"


def test_a_port_that_somebody_was_quicker_to_take_is_given_up(
    any_binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((ports.HOST, 0)) as other:
        drawn = [other.getsockname()[1]]
        monkeypatch.setattr(module, "free_port", lambda dice: drawn.pop() if drawn else ports.free_port(dice))
        with Cluster(new_folder(), any_binaries) as cluster:
            assert cluster.port != other.getsockname()[1]
            assert ask(cluster.url(), "SELECT 1") == 1


def test_a_port_that_is_taken_while_the_server_is_down_is_an_error(cluster: Cluster) -> None:
    cluster.stop()
    with socket.create_server((ports.HOST, cluster.port)), pytest.raises(ServerFailed, match="Address already in use"):
        cluster.start()
    assert not cluster.is_up


def test_programs_that_the_server_s_user_may_not_reach_are_copied(tmp_path: Path) -> None:
    there = find({}).copy_to(tmp_path / "closed")
    (tmp_path / "closed").chmod(0o700)
    unreachable = Binaries(there.folder, there.version, there.folder.parents[1])
    with Cluster(new_folder(), unreachable) as cluster:
        assert ask(cluster.url(), "SELECT 1") == 1
    assert not cluster.folder.exists()


PARENT = """
import os, signal, sys
from pathlib import Path
from tests.postgres.binaries import Binaries
from tests.postgres.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]), Binaries(Path(sys.argv[2]), 0))
cluster.start()
if not os.fork():
    signal.pause()  # a child that holds all that its parent held
    os._exit(0)
print(cluster._guard.pid, cluster.folder / "data" / "postmaster.pid", flush=True)
signal.pause()
"""


def test_the_server_dies_with_the_process_that_started_it(binaries: Binaries) -> None:
    folder = new_folder()
    command = [sys.executable, "-c", PARENT, str(folder), str(binaries.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stdout is not None
        try:
            guard, _, file = parent.stdout.readline().strip().partition(" ")
            server = int(Path(file).read_text().split()[0])
            ends = [os.pidfd_open(int(guard)), os.pidfd_open(server)]
            parent.kill()
            for end in ends:
                assert select.select([end], [], [], PATIENCE)[0]
                os.close(end)
        finally:
            os.killpg(parent.pid, signal.SIGKILL)
    assert not folder.exists()
