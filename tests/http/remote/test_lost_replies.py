"""The server does what it is asked, and its answers are lost: nothing is lost, and nothing is doubled."""

from __future__ import annotations

import random

import httpx2
import pytest

from ferryman.client import JobRequest
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.cron import Cron
from ferryman.domain.errors import (
    ApiKeyNotFound,
    JobNotFound,
    PreconditionFailed,
    QueueFull,
    ScheduleNotFound,
    ServerUnreachable,
    WrongState,
)
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.http.remote.client import RemoteClient
from ferryman.store.protocol import JobFilter
from ferryman.store.watching import version_of
from tests.http.remote.lines import Lossy, Times, client_over
from tests.http.world import World

pytestmark = pytest.mark.anyio

BOOM = Outcome(What.FAILED, retryable=False)


async def over(world: World, times: Times, *drops: bool) -> RemoteClient:
    remote = client_over(Lossy(httpx2.ASGITransport(world.api), drops), times)
    await remote.open()
    return remote


async def count(world: World) -> int:
    return len(await world.client.list(JobFilter(limit=10_000)))


@pytest.mark.parametrize(
    "request_",
    [
        JobRequest("echo"),
        JobRequest("echo", unique_key="k"),
        JobRequest("echo", unique_key="k", on_conflict="return"),
        JobRequest("echo", idempotency_key="k"),
    ],
    ids=["plain", "unique", "unique, given", "idempotent"],
)
async def test_a_job_whose_answer_is_lost_is_stored_once(request_: JobRequest, world: World, times: Times) -> None:
    client = await over(world, times, True, True, False)
    accepted = await client.enqueue(request_)
    assert (await world.client.get(accepted.id)).type == "echo"
    assert (accepted.replayed, accepted.existed) == (True, False)
    assert await count(world) == 1


async def test_a_batch_whose_answer_is_lost_is_stored_once(world: World, times: Times) -> None:
    requests = [JobRequest("echo", unique_key=f"k{n}" if n % 3 else None) for n in range(100)]
    assert await (await over(world, times, True, False)).enqueue_chunk(requests) == 100
    assert await count(world) == 100


async def test_a_cancel_whose_answer_is_lost_is_known_as_its_own(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo"))).id
    client = await over(world, times, True, False)
    assert (await client.cancel(id)).status is Status.CANCELLED
    with pytest.raises(WrongState):
        await client.cancel(id)


async def test_a_cancel_that_came_too_late_says_so(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo"))).id
    await world.finish(BOOM)
    with pytest.raises(WrongState):
        await (await over(world, times, True, False)).cancel(id)


async def test_a_retry_whose_answer_is_lost_is_not_said_again(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo"))).id
    await world.finish(BOOM)
    with pytest.raises(ServerUnreachable, match="It may have been done all the same"):
        await (await over(world, times, True, False)).retry(id)
    assert (await world.client.get(id)).status is Status.PENDING
    assert times.slept == []


async def test_a_retry_of_a_version_whose_answer_is_lost_is_said_again(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo"))).id
    await world.finish(BOOM)
    before = version_of(await world.client.get(id))
    client = await over(world, times, True, False)
    assert (await client.retry(id, expected=before)).status is Status.PENDING
    with pytest.raises(PreconditionFailed):
        await client.retry(id, expected=before)


async def test_a_place_whose_answer_is_lost_is_known_as_its_own(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo"))).id
    before = version_of(await world.client.get(id))
    client = await over(world, times, True, False)
    placement = client.controls.placement(queue="mail", priority=1)
    assert (await client.controls.place(id, placement, expected=before)).queue == "mail"
    with pytest.raises(PreconditionFailed):
        await (await over(world, times, True, False)).controls.place(
            id, client.controls.placement(priority=2), expected=before
        )


async def test_what_is_deleted_and_the_answer_is_lost_is_gone(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo"))).id
    await world.finish(BOOM)
    client = await over(world, times, True, False, False, True, False, False)
    await client.controls.delete(id)
    with pytest.raises(JobNotFound):
        await client.controls.delete(id)
    await world.client.schedules.put(ScheduleRequest("nightly", Cron("0 3 * * *"), JobRequest("echo")))
    await client.schedules.drop("nightly")
    with pytest.raises(ScheduleNotFound):
        await client.schedules.drop("nightly")


async def test_an_operation_that_is_stopped_and_the_answer_is_lost_is_known_as_its_own(
    world: World, times: Times
) -> None:
    id = (await world.client.operations.start("cancel", "type:*")).id
    client = await over(world, times, True, False, False, False)
    assert (await client.operations.cancel(id)).status == "cancelled"
    with pytest.raises(WrongState):
        await client.operations.cancel(id)


async def test_a_key_that_is_revoked_and_the_answer_is_lost_has_ended(world: World, times: Times) -> None:
    shown = await world.key("admin", name="boss")
    await world.client.access.add("web", ["read"])
    line = Lossy(httpx2.ASGITransport(world.api), [True, False])
    boss = client_over(line, times, api_key=shown["Authorization"].removeprefix("Bearer "))
    await boss.open()
    assert await boss.access.revoke("web") == 0
    assert [key.name for key in await boss.access.list() if key.lives(world.clock.now())] == ["boss"]
    with pytest.raises(ApiKeyNotFound):
        await boss.access.revoke("web")
    await boss.close()


async def test_what_would_be_done_twice_is_not_said_again(world: World, times: Times) -> None:
    id = (await world.client.enqueue(JobRequest("echo", key="k"))).id
    await world.client.schedules.put(ScheduleRequest("nightly", Cron("0 3 * * *"), JobRequest("echo")))
    client = await over(world, times, *[True] * 20)
    for said in (
        client.schedules.run("nightly"),
        client.keys.let_pass("k"),
        client.controls.place(id, client.controls.placement(delay=5)),
        client.controls.purge("queue:default"),
        client.controls.retry_all("queue:default"),
        client.operations.start("cancel", "type:*"),
        client.access.add("web", ["read"]),
        client.access.rotate("web"),
    ):
        with pytest.raises(ServerUnreachable, match="It may have been done all the same"):
            await said
    assert times.slept == []


async def test_all_or_none_whose_answer_is_lost_are_stored_once(world: World, times: Times) -> None:
    client = await over(world, times, True, True, False)
    ids = await client.enqueue_all([JobRequest("echo") for _ in range(50)])
    assert sorted(ids) == [job.id for job in await world.client.list(JobFilter())]


async def test_a_full_queue_behind_a_lost_answer_does_not_say_that_nothing_was_done(times: Times) -> None:
    world = World(max_pending=2)
    client = await over(world, times, True, False)
    with pytest.raises(QueueFull) as caught:
        await client.enqueue_all([JobRequest("echo"), JobRequest("echo")])
    assert caught.value.__notes__ == ["An earlier try got no answer: it may have been done all the same."]
    assert await count(world) == 2


async def test_an_import_whose_answer_is_lost_is_stored_once(world: World, times: Times) -> None:
    requests = [JobRequest("echo", unique_key=f"k{n}" if n % 3 else None) for n in range(1500)]
    assert await (await over(world, times, True, True, False)).import_chunk(requests) == 1500
    assert await count(world) == 1500


async def test_a_thousand_jobs_with_a_fifth_of_the_answers_lost(world: World, times: Times) -> None:
    dice = random.Random(3)
    client = await over(world, times, *[dice.random() < 0.2 for _ in range(10_000)])
    ids = {(await client.enqueue(JobRequest("echo"))).id for _ in range(700)}
    for _ in range(10):
        await client.enqueue_chunk([JobRequest("echo") for _ in range(30)])
    assert len(ids) == 700
    assert await count(world) == 1000


async def test_an_answer_that_never_comes_is_given_up_and_the_same_id_can_be_said_again(
    world: World, times: Times
) -> None:
    mine = "01890a5d-ac96-774b-bcce-b302099a8057"
    client = await over(world, times, *[True] * 9, False)
    with pytest.raises(ServerUnreachable, match="under the same id"):
        await client.enqueue(JobRequest("echo", id=mine))
    assert (await client.enqueue(JobRequest("echo", id=mine))).id == mine
    assert await count(world) == 1
