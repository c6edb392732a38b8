"""Who is alive on one machine: lock files for dead processes, beat counters for hung ones."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.errors import NodeNotLive, StoreFailed
from ferryman.domain.nodes import Condition
from ferryman.store.sqlite.liveness import Liveness
from ferryman.testing.clock import ManualClock
from tests.store.files import claim_of, new_job, node_info, sqlite_store

HOLD = """
import sys
from pathlib import Path
from ferryman.store.sqlite.liveness import Liveness
Liveness(Path(sys.argv[1]), lambda: 0.0).enter("theirs")
print("held", flush=True)
sys.stdin.read()
"""


CONDITION = Condition(5, 4096, quiet=True, busy=0)


def test_what_a_node_says_goes_with_it(tmp_path: Path) -> None:
    own, other = (Liveness(tmp_path, ManualClock().monotonic) for _ in range(2))
    own.enter("mine")
    assert other.condition("mine") is None
    own.say("mine", CONDITION)
    assert other.condition("mine") == CONDITION
    own.leave("mine")
    assert other.condition("mine") is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_node_said_that_an_older_version_buried_is_removed_by_the_next_node(tmp_path: Path) -> None:
    own = Liveness(tmp_path, ManualClock().monotonic)
    for node in ("left", "mine"):
        own.enter(node)
        own.say(node, CONDITION)
    (tmp_path / "left.lock").unlink()
    own.enter("another")
    assert (own.condition("left"), own.condition("mine")) == (None, CONDITION)
    own.close()


def test_where_it_cannot_be_written_what_a_node_says_fails(tmp_path: Path) -> None:
    folder = tmp_path / "nodes"
    own = Liveness(folder, ManualClock().monotonic)
    own.enter("mine")
    (folder / "mine.new").mkdir()
    with pytest.raises(StoreFailed, match=r"mine\.json"):
        own.say("mine", CONDITION)
    own.close()


def test_a_killed_process_is_dead_at_once(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    liveness = Liveness(tmp_path, ManualClock().monotonic)
    assert not liveness.dead("theirs", 10)
    holder.kill()
    holder.communicate()
    assert liveness.dead("theirs", 10)


FORK = """
import asyncio, os, sys
from pathlib import Path
from ferryman.testing.clock import ManualClock
from tests.store.files import node_info, sqlite_store

store = sqlite_store(Path(sys.argv[1]), ManualClock())

async def live() -> None:
    await store.open()
    await store.register(node_info("theirs"), 0)

asyncio.run(live())
if os.fork():
    print("forked", flush=True)
    sys.stdin.readline()
    os._exit(0)
while sys.stdin.readline():
    pass
"""


def test_a_child_that_outlives_its_process_does_not_keep_it_alive(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    holder = subprocess.Popen(
        [sys.executable, "-c", FORK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None and holder.stdout is not None
    assert holder.stdout.readline() == "forked\n"

    def kill() -> None:
        holder.kill()
        holder.wait()

    assert asyncio.run(rescued_before_and_after(path, kill)) == [([], False), (["theirs"], True)]
    holder.communicate()  # only now the child's input ends, and the child with it


async def rescued_before_and_after(path: Path, kill: Callable[[], None]) -> list[tuple[list[str], bool]]:
    """Which nodes a rescue finds dead, and whether the store has the right to checkpoint then."""
    store = sqlite_store(path, ManualClock())
    await store.open()
    before = [each.node for each in await store.rescue(0, 10.0)], store._checkpoints.held
    kill()
    after = [each.node for each in await store.rescue(0, 10.0)], store._checkpoints.held
    await store.close()
    return [before, after]


def test_a_hung_node_is_dead_after_its_lease(tmp_path: Path) -> None:
    clock = ManualClock()
    own, other = Liveness(tmp_path, clock.monotonic), Liveness(tmp_path, clock.monotonic)
    own.enter("mine")
    assert not other.dead("mine", 10)
    clock.advance(9)
    assert own.beat("mine")
    assert not other.dead("mine", 10)
    clock.advance(9.9)
    assert not other.dead("mine", 10)
    clock.advance(0.2)
    assert other.dead("mine", 10)


def test_the_wall_clock_does_not_matter(tmp_path: Path) -> None:
    clock = ManualClock()
    own, other = Liveness(tmp_path, clock.monotonic), Liveness(tmp_path, clock.monotonic)
    own.enter("mine")
    assert not other.dead("mine", 10)
    clock.jump(86400)
    assert not other.dead("mine", 10)


def test_a_buried_node_learns_it_from_its_next_beat(tmp_path: Path) -> None:
    clock = ManualClock()
    own, other = Liveness(tmp_path, clock.monotonic), Liveness(tmp_path, clock.monotonic)
    own.enter("mine")
    assert own.beat("mine")
    other.bury("mine")
    assert not own.beat("mine")


def test_a_node_that_left_does_not_beat(tmp_path: Path) -> None:
    own = Liveness(tmp_path, ManualClock().monotonic)
    own.enter("mine")
    own.leave("mine")
    own.leave("mine")
    assert not own.beat("mine")
    assert list(tmp_path.glob("*.lock")) == []


@pytest.mark.anyio
async def test_a_rescue_checks_the_beat_again_before_it_buries(tmp_path: Path) -> None:
    clock = ManualClock()
    one, two = (sqlite_store(tmp_path / "jobs.db", clock) for _ in range(2))
    await one.open()
    await two.open()
    node = await one.register(node_info("n1"), clock.now())
    await one.insert([new_job("a")], clock.now())
    await one.claim(claim_of(node), clock.now())
    await two.rescue(clock.now(), 10)
    clock.advance(11)
    write = two._write

    async def beat_then_write(request: object) -> object:
        one.beat(node)
        return await write(request)  # type: ignore[arg-type]

    two._write = beat_then_write  # type: ignore[assignment, method-assign]
    assert await two.rescue(clock.now(), 10) == []
    assert one.beat(node)
    await one.close()
    await two.close()


@pytest.mark.anyio
async def test_a_register_that_is_refused_holds_no_lock_file(tmp_path: Path) -> None:
    clock = ManualClock()
    one, two = (sqlite_store(tmp_path / "jobs.db", clock) for _ in range(2))
    await one.open()
    await two.open()
    await one.register(node_info("n1"), clock.now())
    await two.rescue(clock.now(), 10)
    clock.advance(11)
    assert [each.node for each in await two.rescue(clock.now(), 10)] == ["n1"]
    with pytest.raises(NodeNotLive):
        await one.register(node_info("n1"), clock.now())
    assert one._liveness._own == {}, "its lock file is closed"
    assert not (tmp_path / "jobs.db-nodes" / "n1.lock").exists()
    await one.close()
    await two.close()


def test_a_node_without_its_file_is_judged_by_its_silence(tmp_path: Path) -> None:
    clock = ManualClock()
    other = Liveness(tmp_path, clock.monotonic)
    assert not other.dead("theirs", 10)
    clock.advance(10)
    assert other.dead("theirs", 10)


def test_a_beat_that_cannot_be_written_is_no_word_of_others_that_the_node_is_dead(tmp_path: Path) -> None:
    own = Liveness(tmp_path, ManualClock().monotonic)
    own.enter("mine")
    own.close()
    assert not own.beat("mine"), "it has let go by itself"
    own.enter("again")
    descriptor = own._own["again"][0]
    os.close(descriptor)
    with pytest.raises(StoreFailed, match=r"again\.lock"):
        own.beat("again")
    own._own.clear()


def test_a_node_that_cannot_beat_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Liveness(tmp_path, ManualClock().monotonic)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", full)
        with pytest.raises(StoreFailed):
            own.enter("mine")
    assert list(tmp_path.iterdir()) == []
    own.enter("mine")
    assert own.beat("mine")
    own.close()


@pytest.mark.anyio
async def test_a_cut_off_rescue_is_finished_by_the_next_one(tmp_path: Path) -> None:
    clock = ManualClock()
    store = sqlite_store(tmp_path / "jobs.db", clock)
    await store.open()
    node = await store.register(node_info("n1"), clock.now())
    await store.insert([new_job("a")], clock.now())
    await store.claim(claim_of(node), clock.now())
    await store.retire(node, clock.now())
    assert [each.count for each in await store.rescue(clock.now(), 10)] == [1]
    job = await store.get("a", clock.now())
    assert job is not None
    assert job.status == "pending"
    await store.close()


@pytest.mark.anyio
async def test_a_node_that_nobody_knows_any_more_hears_nothing_and_says_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    store = sqlite_store(tmp_path / "jobs.db", clock)
    await store.open()
    node = await store.register(node_info("n1"), clock.now())
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
        other.execute("DELETE FROM node")
    assert await store.check_in(node, CONDITION) is None
    assert store._liveness.condition("n1") is None
    await store.close()
