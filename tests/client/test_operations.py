"""Operations over a filter, as a client starts and stops them."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.client.finding import Counted
from ferryman.domain.bulk import BulkAction, BulkStatus
from ferryman.domain.errors import BadFilter, BadOption, OperationNotFound, StoreBusy, WrongState
from ferryman.domain.job import MICROS
from ferryman.store.bulk import Wish
from ferryman.store.controlling import Placement
from ferryman.store.protocol import AuditFilter
from ferryman.testing.clock import EPOCH
from tests.client.world import FAILED, UNKNOWN, World, send

pytestmark = pytest.mark.anyio
ANNA = "cli:anna@host"


async def test_what_is_asked_for_is_in_the_store(world: World) -> None:
    operations = world.client.operations
    started = await operations.start("retry", "status:failed created:<1h", rate="30/m", within={"b", "a"}, by=ANNA)
    asked = Wish(
        action=BulkAction.RETRY,
        filter="status:failed created:<1h",
        queues=("a", "b"),
        rate=0.5,
        by=ANNA,
        created_at=EPOCH,
    )
    assert (started.wish, started.status) == (asked, BulkStatus.RUNNING)
    assert await operations.get(started.id) == started
    assert list(await world.store.running_operations(5)) == [started]


async def test_a_change_says_what_and_when(world: World) -> None:
    started = await world.client.operations.start("change", "type:*", queue="slow", priority=9, delay=60)
    assert started.wish.placement == Placement("slow", 9, EPOCH + 60 * MICROS)
    assert started.wish.by == "python"
    started = await world.client.operations.start("change", "type:*", run_at=EPOCH + MICROS)
    assert started.wish.placement == Placement(run_at=EPOCH + MICROS)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"action": "shred"}, "action cannot be 'shred'"),
        ({"filter": " "}, "The filter is empty"),
        ({"filter": "status:failed"}, "status cannot be"),
        ({"action": "delete", "filter": "status:pending"}, "status cannot be"),
        ({"action": "retry", "filter": "status:completed"}, "status cannot be"),
        ({"action": "change", "filter": "status:processing", "priority": 1}, "status cannot be"),
        ({"action": "change"}, "Nothing is to be changed"),
        ({"action": "change", "run_at": EPOCH, "delay": 1}, "delay cannot be"),
        ({"priority": 1}, "priority cannot be"),
        ({"rate": 5}, "rate cannot be"),
        ({"action": "retry", "rate": 0}, "rate cannot be"),
        ({"by": ""}, "actor cannot be"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption, match=said):
        await world.client.operations.start(**{"action": "cancel", "filter": "type:*", **asked})
    assert list(await world.client.operations.list()) == []


async def test_a_filter_that_cannot_be_read_is_refused(world: World) -> None:
    with pytest.raises(BadFilter):
        await world.client.operations.start("cancel", "sta:tus")


async def test_jobs_are_counted_beforehand(world: World) -> None:
    for queue in ("a", "a", "b"):
        await world.client.enqueue(send(queue=queue))
    node = await world.node("send")
    await world.end(node, await world.claim(node), FAILED)
    count = world.client.operations.count
    assert await count("cancel", "type:send") == Counted(2, complete=True)
    assert await count("cancel", "type:send", within={"a"}) == Counted(1, complete=True)
    assert await count("retry", "type:send") == Counted(1, complete=True)
    with pytest.raises(BadOption):
        await count("retry", "")
    assert list(await world.client.operations.list()) == []


async def test_a_lost_answer_starts_one(world: World) -> None:
    world.store.after["add_operation"].append(StoreBusy("lost"))
    started = await world.client.operations.start("cancel", "type:*")
    assert list(await world.client.operations.list()) == [started]
    assert len(await world.client.audit(AuditFilter())) == 1


async def test_they_are_listed_the_newest_first(world: World) -> None:
    operations = world.client.operations
    ids = [(await operations.start("cancel", "type:*")).id for _ in range(3)]
    assert [each.id for each in await operations.list(limit=2)] == ids[:0:-1]
    assert [each.id for each in await operations.list(ids[1])] == ids[:1]


async def test_one_that_runs_can_be_stopped(world: World) -> None:
    operations = world.client.operations
    started = await operations.start("cancel", "type:*")
    stopped = await operations.cancel(started.id)
    assert (stopped.status, stopped.finished_at) == (BulkStatus.CANCELLED, EPOCH)
    with pytest.raises(WrongState, match="cancelled already"):
        await operations.cancel(started.id)


@pytest.mark.parametrize("id", [UNKNOWN, "no id"])
async def test_one_that_is_not_there_is_told(world: World, id: str) -> None:
    for verb in (world.client.operations.get, world.client.operations.cancel):
        with pytest.raises(OperationNotFound):
            await verb(id)
