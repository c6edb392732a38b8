"""Cancels, retries and expiries that meet others on PostgreSQL, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ferryman.domain.errors import PreconditionFailed, StoreBusy
from ferryman.domain.state import Status
from ferryman.store.controlling import Placement
from ferryman.store.postgres import controls, lanes, people
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.inserting import insert_plain
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.locks import NodeLocks
from ferryman.store.postgres.loopthread import LoopThread
from ferryman.store.postgres.steps import Steps
from ferryman.store.protocol import CancelResult, JobFilter, RetryResult
from ferryman.store.watching import Version
from ferryman.testing.conformance import RETENTION
from tests.store.files import new_job
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
PENDING = (1, "pending", 0, 0, 5, None, None, None, None)
PROCESSING = (1, "processing", 1, 1, 5, None, None, None, None)


def play(steps: Steps[Any], answers: Sequence[Sequence[Any]]) -> Any:
    """Drive a verb with answers made up."""
    try:
        next(steps)
        for rows in answers:
            steps.send(rows)
    except StopIteration as end:
        return end.value
    raise AssertionError("the verb asks for more")


def test_a_job_that_never_stands_still_is_given_up() -> None:
    moved = [[PENDING], []]
    with pytest.raises(StoreBusy, match="kept moving"):
        play(people.cancel(Lanes(), IDS.mint(0), 0, RETENTION), moved * people.LOOKS)


def test_a_run_that_ends_while_its_cancel_waits_is_looked_at_again() -> None:
    completed = (1, "completed", 1, 1, 5, None, None, 0, None)
    answers: list[list[Any]] = [[PROCESSING], [], [], [completed]]
    result, keys = play(people.cancel(Lanes(), IDS.mint(0), 0, RETENTION), answers)
    assert (result.before, keys) == ("completed", ())


def known_lanes() -> Lanes:
    lanes = Lanes()
    lanes.learn(1, "default", "echo", 5)
    lanes.learn(2, "default", "echo", 1)
    return lanes


def test_one_that_moves_between_the_look_and_the_grasp_is_not_the_one_that_was_meant() -> None:
    id, meant = IDS.mint(0), Version(Status.PENDING, 0, "default", 5, None)
    looked: list[Any] = [[PENDING], [(id, "pending", 0, "default", 5, None)]]
    for lane, number in ((2, 0), (1, 3)):
        taken: list[Any] = [(id, lane, number, 0, "pending", None, None)]
        with pytest.raises(PreconditionFailed):
            play(people.cancel(known_lanes(), id, 0, RETENTION, None, meant), [*looked, taken, []])


def place(id: str, answers: Sequence[Sequence[Any]], placement: Placement) -> Any:
    """Drive a placement; every look at the places is followed by one at the lanes."""
    return play(controls.place(known_lanes(), [id], placement, 0, RETENTION), answers)


def test_a_job_that_is_never_where_it_was_seen_is_not_placed() -> None:
    id = IDS.mint(0)
    seen: list[list[Any]] = [[(id, 1, None)], [], [], [PENDING]]
    with pytest.raises(StoreBusy, match="kept moving"):
        place(id, seen * people.LOOKS, Placement(priority=1))


def test_a_job_that_is_gone_when_it_is_to_be_taken_was_not_there() -> None:
    id = IDS.mint(0)
    assert place(id, [[(id, 1, None)], [], [], []], Placement(priority=1)) == {}


def test_a_job_that_another_person_has_moved_goes_where_both_want_it() -> None:
    """It was seen in lane 1 and is taken from lane 3: it is to stand elsewhere than was looked up."""
    id = IDS.mint(0)
    steps = controls.place(known_lanes(), [id], Placement(priority=1), 0, RETENTION)
    with pytest.raises(controls.LanesMissing) as raised:
        play(steps, [[(id, 1, None)], [(3, "poison", "echo", 5)], [(id, 3, None, 0, 0, 0, 0, 0)]])
    assert raised.value.wanted == {("poison", "echo", 1)}
    lanes = [(3, "poison", "echo", 5), (4, "poison", "echo", 1)]
    steps = controls.place(known_lanes(), [id], Placement(priority=1), 0, RETENTION)
    next(steps)
    steps.send([(id, 1, None)])
    steps.send(lanes)
    settle = steps.send([(id, 3, None, 0, 0, 0, 0, 0)])
    assert (settle.statement, settle.parameters[2], settle.parameters[9]) == ("settle", [4], [3])


def test_a_job_that_another_person_has_moved_to_a_new_lane_is_looked_at_again_once_that_is_known() -> None:
    id = IDS.mint(0)
    steps = controls.place(known_lanes(), [id], Placement(priority=1), 0, RETENTION)
    with pytest.raises(controls.LanesMissing) as raised:
        play(steps, [[(id, 1, None)], [], [(id, 9, None, 0, 0, 0, 0, 0)]])
    assert raised.value.wanted == set()


def test_lanes_are_only_read_where_none_is_to_be_made() -> None:
    known = known_lanes()
    play(lanes.make(known, ()), [[(3, "poison", "echo", 5)]])
    assert known.number("poison", "echo", 5) == 3


def test_a_job_that_is_promoted_after_the_look_was_met_pending() -> None:
    id = IDS.mint(0)
    answers: list[list[Any]] = [[(id, 1, 5)], [], [(id, 1, None, 0, 0, 0, 0, 0)], [], []]
    assert place(id, answers, Placement(priority=1)) == {id: "pending"}


def test_what_is_promoted_while_it_is_to_be_cancelled_is_cancelled_there() -> None:
    ids = [IDS.mint(0), IDS.mint(0)]
    left = [(ids[0], 1, 0, 0, "pending", None, "k")], [(ids[1], 1, 0, 0, "pending", None, None)]
    steps = controls.cancel_those_that_wait(known_lanes(), ids, 0)
    assert play(steps, [left[0], [], [], left[1], []]) == (ids, ["k"])


async def test_what_is_no_id_is_no_job(database: str) -> None:
    async with opened(database) as store:
        assert await store.get("no id", 0) is None
        assert list(await store.attempts("no id")) == []
        assert await store.cancel("no id", 0) == CancelResult(None)
        assert await store.retry("no id", 0) == RetryResult(None)
        assert list(await store.list(JobFilter(after="no id"), 0)) == []


async def test_a_job_that_somebody_stores_at_the_same_moment_is_to_be_tried_again(database: str) -> None:
    async with opened(database) as store, connected(database) as other:
        job = new_job(IDS.mint(0))
        await store.insert([new_job(IDS.mint(0))], 0)
        transaction = other.transaction()
        await transaction.start()
        await drive(other, store._statements, insert_plain(store._lanes, [job], 0))
        inserting = asyncio.create_task(store.insert([job], 0, max_pending=10))
        async with connected(database) as observer:
            while not await observer.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass  # each look gives the loop a turn
        await transaction.commit()
        with pytest.raises(StoreBusy):
            await inserting


def test_lock_files_are_let_go_and_nothing_is_said_twice(tmp_path: Path) -> None:
    locks = NodeLocks(tmp_path / "locks")
    locks.enter("n")
    locks.enter("n")
    assert not locks.gone("n")
    assert not locks.gone("never was")
    locks.leave("n")
    locks.leave("n")
    assert not locks.gone("n"), "a file that is not there says nothing"


def test_a_thread_that_never_began_is_closed() -> None:
    thread = LoopThread("test")
    thread.end()
    thread.end()
