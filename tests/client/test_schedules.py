"""The client's verbs for schedules, as far as HTTP cannot say them."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.client import JobRequest
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.cron import Cron
from ferryman.domain.errors import BadOption, ScheduleNotFound, StoreBusy
from ferryman.store.scheduling import Put
from tests.client.world import World, send

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "said",
    [{"run_at": 5}, {"delay": 1.0}, {"expires_at": 5}, {"idempotency_key": "k"}],
    ids=lambda said: next(iter(said)),
)
async def test_what_is_said_of_one_job_is_refused(world: World, said: dict[str, Any]) -> None:
    with pytest.raises(BadOption, match=next(iter(said))):
        await world.client.schedules.put(ScheduleRequest("s", Cron("@daily"), send(**said)))


async def test_a_busy_store_is_asked_again(world: World) -> None:
    schedules, asked = world.client.schedules, ScheduleRequest("s", Cron("@daily"), send())
    for verb in ("put_schedule", "pause_schedule", "drop_schedule"):
        world.store.before[verb].append(StoreBusy("busy"))
    assert await schedules.put(asked) is Put.CREATED
    assert (await schedules.pause("s")).paused
    await schedules.drop("s")
    assert await schedules.list() == []


async def test_a_put_whose_reply_was_lost_is_said_again(world: World) -> None:
    world.store.after["put_schedule"].append(StoreBusy("lost"))
    asked = ScheduleRequest("s", Cron("@daily"), send())
    assert await world.client.schedules.put(asked) is Put.UNCHANGED
    assert len(await world.client.schedules.list()) == 1


@pytest.mark.parametrize("name", ["other", "", "a b", "\0", "\ud800"])
async def test_a_name_that_is_none_is_not_found(world: World, name: str) -> None:
    schedules = world.client.schedules
    for verb in (schedules.get, schedules.pause, schedules.resume, schedules.drop, schedules.run):
        with pytest.raises(ScheduleNotFound, match="There is no schedule"):
            await verb(name)


async def test_what_the_job_does_not_say_is_what_its_type_declares(world: World) -> None:
    await world.client.schedules.put(ScheduleRequest("s", Cron("@daily"), JobRequest("send")))
    order = (await world.client.schedules.get("s")).schedule.order
    job = (await world.client.schedules.run("s")).new
    assert (order.queue, order.priority, order.max_attempts) == (job.queue, job.priority, job.max_attempts)


async def test_what_is_said_of_its_jobs_holds_at_each_tick_and_for_one_that_is_run_by_hand(world: World) -> None:
    said: dict[str, Any] = {"payload": '{"n":1}', "queue": "q", "priority": 1, "max_attempts": 3, "timeout": 2.5}
    said |= {"unique_key": "u", "tags": ("a", "b"), "key": "k"}
    schedules = world.client.schedules
    await schedules.put(ScheduleRequest("s", Cron("@daily"), JobRequest("send", **said)))
    schedule = (await schedules.get("s")).schedule
    (ticked,) = schedule.firing(0, 0, [5], lambda: "id", 7).jobs
    run = (await schedules.run("s")).new
    for job in (ticked, run):
        assert {name: getattr(job, name) for name in said} == said
    assert (ticked.run_at, ticked.created_at, run.run_at) == (5, 7, None)
