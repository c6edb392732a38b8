"""Real node processes under a real supervisor, and what becomes of their jobs whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferryman.domain.state import Status
from tests.supervise.world import JOBS, Watched, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_jobs_of_a_killed_node_process_run_again_at_once(world: World) -> None:
    server = world.start("serve", "jobs.py", "--processes", "2", "--worker-count", "2", "--stop-deadline", "0.1")
    ids = world.hand_in(4)
    first = world.started(4)
    assert sorted(each.id for each in first) == sorted(ids)
    victim = first[0].pid
    held = {each.id for each in first if each.pid == victim}
    os.kill(victim, signal.SIGKILL)
    again = world.started(len(held))
    assert {each.id for each in again} == held
    assert {each.claim for each in again} == {2}
    assert victim not in {each.pid for each in again}
    server.terminate()
    assert server.wait(60) == 0


def test_a_node_process_that_is_told_to_stop_stops_in_order_and_another_one_takes_its_place(world: World) -> None:
    flags = ("--worker-count", "1", "--stop-deadline", "0.1", "--beat", "0.1", "--lease", "1")
    server = world.start("serve", "jobs.py", "--processes", "1", *flags)
    [id] = world.hand_in(1)
    [first] = world.started(1)
    node = world.node_of(id)
    told = [sys.executable, "-m", "ferryman", "nodes", "stop", node]
    subprocess.run(told, env=world.environment(), cwd=world.folder, check=True, timeout=60)
    [again] = world.started(1)
    assert (again.id, again.claim) == (id, 2)
    assert again.pid != first.pid
    server.terminate()
    assert server.wait(60) == 0


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_stop_reaches_every_process_and_leaves_nothing_claimed(world: World, command: str) -> None:
    server = world.start(command, "jobs.py", "--processes", "2", "--worker-count", "2", "--stop-deadline", "0.1")
    ids = world.hand_in(6)
    children = Watched({each.pid for each in world.started(4)})
    server.terminate()
    assert server.wait(60) == 0
    children.wait()
    assert world.statuses(ids) == {Status.PENDING}


def test_processes_stop_in_order_when_their_supervisor_is_killed(world: World) -> None:
    server = world.start("serve", "jobs.py", "--processes", "2", "--worker-count", "2", "--stop-deadline", "0.1")
    ids = world.hand_in(4)
    children = Watched({each.pid for each in world.started(4)})
    server.kill()
    children.wait()
    assert world.statuses(ids) == {Status.PENDING}, "interrupted, not lost: nobody need be found dead"


def test_jobs_survive_the_end_of_the_supervisor_and_all_its_processes(world: World) -> None:
    server = world.start("work", "jobs.py", "--processes", "2", "--worker-count", "2")
    ids = world.hand_in(4)
    pids = {each.pid for each in world.started(4)}
    children = Watched(pids)
    for pid in (server.pid, *pids):
        os.kill(pid, signal.SIGKILL)
    children.wait()
    world.start("work", "jobs.py", "--stop-deadline", "0.1")
    assert sorted(each.id for each in world.started(4)) == sorted(ids)


def test_node_processes_get_the_flags_of_their_supervisor(world: World) -> None:
    ids = world.hand_in(3)
    server = world.start("work", "jobs.py", "--processes", "1", "--worker-count", "1", "--stop-deadline", "0.1")
    first = world.started(1)
    assert [each.id for each in first] == ids[:1]
    assert world.statuses(ids[1:]) == {Status.PENDING}
    server.terminate()
    assert server.wait(60) == 0


def test_a_target_that_fails_in_every_process_ends_the_supervisor(world: World) -> None:
    (world.folder / "jobs.py").write_text(
        "import sys\nfrom ferryman import Ferryman\napp = Ferryman()\nif '--report-to' in sys.argv: sys.exit(1)\n"
    )
    server = world.start("serve", "jobs.py", "--processes", "1")
    assert server.wait(60) == 2


def test_a_store_in_memory_cannot_be_shared(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    command = [sys.executable, "-m", "ferryman", "work", "jobs.py", "--processes", "2", "--database-url", "memory://"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "FM101" in done.stderr
    assert "memory" in done.stderr
