"""Reading, cancelling and retrying jobs."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import JobNotFound, StoreBusy, UniqueKeyTaken, WrongState
from ferryman.domain.events import JobCancelledByRequest, JobRetriedByRequest
from ferryman.domain.state import Status
from ferryman.store.protocol import JobFilter
from tests.client import virtual
from tests.client.world import DONE, FAILED, UNKNOWN, World, send

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("id", [UNKNOWN, "7", "", "x\0", "\ud800", UNKNOWN.upper()])
async def test_a_job_that_is_not_there_is_not_found_by_any_verb(world: World, id: str) -> None:
    for verb in (world.client.get, world.client.attempts, world.client.cancel, world.client.retry, world.client.wait):
        with pytest.raises(JobNotFound, match="There is no job"):
            await verb(id)
    assert world.told == []


async def test_jobs_are_listed_and_counted(world: World) -> None:
    ids = [(await world.client.enqueue(send())).id for _ in range(3)]
    assert [job.id for job in await world.client.list(JobFilter(limit=2))] == ids[:2]
    assert (await world.client.counts()).totals["created"] == 3


async def test_the_ended_runs_of_a_job_are_read(world: World) -> None:
    accepted = await world.client.enqueue(send())
    assert list(await world.client.attempts(accepted.id)) == []
    node = await world.node("send")
    await world.end(node, await world.claim(node), FAILED)
    [attempt] = await world.client.attempts(accepted.id)
    assert attempt.error is not None
    assert attempt.error.message == "boom"


async def test_a_waiting_job_is_cancelled_at_once(world: World) -> None:
    accepted = await world.client.enqueue(send())
    world.told.clear()
    job = await world.client.cancel(accepted.id)
    assert job.status is Status.CANCELLED
    assert world.told == [JobCancelledByRequest(accepted.id, "send", "mail", running=False)]


async def test_a_running_job_is_asked_to_end_and_its_node_is_woken(world: World) -> None:
    accepted = await world.client.enqueue(send())
    await world.claim(await world.node("send"))
    job = await world.client.cancel(accepted.id)
    assert job.status is Status.PROCESSING
    assert world.wakes.said[-1] == ("cancelled", UNKNOWN)
    assert world.told[-1] == JobCancelledByRequest(accepted.id, "send", "mail", running=True)


async def test_an_ended_job_cannot_be_cancelled(world: World) -> None:
    accepted = await world.client.enqueue(send())
    await world.client.cancel(accepted.id)
    world.told.clear()
    with pytest.raises(WrongState, match="is cancelled already"):
        await world.client.cancel(accepted.id)
    assert world.told == []


async def test_a_failed_job_is_sent_back_with_all_its_attempts(world: World) -> None:
    accepted = await world.client.enqueue(send())
    node = await world.node("send")
    await world.end(node, await world.claim(node), FAILED)
    world.wakes.said.clear()
    job = await world.client.retry(accepted.id)
    assert (job.status, job.attempt) == (Status.PENDING, 0)
    assert world.wakes.said == ["work"]
    assert world.told[-1] == JobRetriedByRequest(accepted.id, "send", "mail")


@pytest.mark.parametrize("completed", [True, False])
async def test_only_a_failed_or_cancelled_job_can_be_retried(world: World, completed: bool) -> None:
    accepted = await world.client.enqueue(send())
    if completed:
        node = await world.node("send")
        await world.end(node, await world.claim(node), DONE)
    with pytest.raises(WrongState, match="Only a failed or cancelled job"):
        await world.client.retry(accepted.id)


async def test_a_retry_needs_the_unique_key_back(world: World) -> None:
    first = await world.client.enqueue(send(unique_key="k"))
    await world.client.cancel(first.id)
    second = await world.client.enqueue(send(unique_key="k"))
    with pytest.raises(UniqueKeyTaken) as caught:
        await world.client.retry(first.id)
    assert caught.value.holder == second.id


def test_a_busy_store_is_asked_again_to_cancel_and_to_retry() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        world.store.before["cancel"] = [StoreBusy("busy")]
        world.store.before["retry"] = [StoreBusy("busy")]
        assert (await world.client.cancel(accepted.id)).status is Status.CANCELLED
        assert (await world.client.retry(accepted.id)).status is Status.PENDING

    virtual.run(main())


async def test_open_opens_the_store(world: World) -> None:
    await world.client.open()
