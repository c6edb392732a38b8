"""Node processes on a PostgreSQL database: each is a node, and whoever dies is noticed at once by those beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferryman.domain.state import Status
from tests.postgres.databases import Databases
from tests.servers import migrated, said
from tests.supervise.world import Watched, World

QUICK = ("--worker-count", "2", "--stop-deadline", "0.1")
FOR_EVER = ("--lease", "1h", "--beat", "5m")
"""Nobody is found dead by his beats within these tests."""


@pytest.fixture
def world(postgres: Databases, tmp_path: Path) -> Iterator[World]:
    with migrated(postgres) as url:
        world = World(tmp_path, url)
        yield world
        world.close()


def test_jobs_of_a_killed_node_process_run_again_without_waiting_for_its_lease(world: World) -> None:
    server = world.start("serve", "jobs.py", "--processes", "2", *QUICK, *FOR_EVER)
    ids = world.hand_in(4)
    first = world.started(4)
    assert sorted(each.id for each in first) == sorted(ids)
    victim = first[0].pid
    held = {each.id for each in first if each.pid == victim}
    os.kill(victim, signal.SIGKILL)
    again = world.started(len(held))
    assert {(each.id, each.claim) for each in again} == {(id, 2) for id in held}
    assert victim not in {each.pid for each in again}
    server.terminate()
    assert server.wait(60) == 0
    assert world.statuses(ids) == {Status.PENDING}


def test_jobs_of_a_killed_process_are_taken_by_one_beside_it_that_nobody_supervises(world: World) -> None:
    first = world.start("work", "jobs.py", *QUICK, *FOR_EVER)
    world.hand_in(1)
    [run] = world.started(1)
    second = world.start("work", "jobs.py", *QUICK, *FOR_EVER)
    first.kill()
    assert world.started(1) == [run._replace(claim=2, pid=second.pid)]


@pytest.mark.parametrize("command", ["serve", "work"])
@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_stop_leaves_nothing_claimed_and_says_nothing(world: World, command: str, processes: str) -> None:
    server = world.start(command, "jobs.py", "--processes", processes, *QUICK, log=True)
    ids = world.hand_in(5)
    children = Watched({each.pid for each in world.started(4 if processes == "2" else 2)} - {server.pid})
    server.terminate()
    assert server.wait(60) == 0
    children.wait()
    assert world.statuses(ids) == {Status.PENDING}
    assert said(world.database, "SELECT count(*) FROM ferryman.node WHERE ended_at IS NULL") == [(0,)]
    assert said(world.database, "SELECT count(*) FROM ferryman.claim") == [(0,)]
    assert world.log.read_text() == ""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_without_our_tables_nothing_starts(postgres: Databases, tmp_path: Path, processes: str) -> None:
    url = postgres.empty()
    world = World(tmp_path, url)
    code, errors = world.refused("serve", "jobs.py", "--processes", processes)
    world.close()
    postgres.drop(url)
    assert code == 3
    assert "FM219" in errors and "ferryman migrate" in errors
    assert "Traceback" not in errors
