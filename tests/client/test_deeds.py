"""What the audit log says of each verb that operators say to a client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ferryman.client.rules import limit_of
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.access import ApiKey, Right
from ferryman.domain.audit import Action, Deed
from ferryman.domain.cron import Cron
from ferryman.domain.errors import BadOption, StoreBusy, UniqueKeyTaken
from ferryman.domain.job import MICROS
from ferryman.domain.keyed import gate_rule
from ferryman.domain.limits import Scope
from ferryman.domain.nodes import NodeWish
from ferryman.domain.state import Status
from ferryman.store.protocol import AuditFilter, JobFilter
from ferryman.testing.clock import EPOCH
from tests.client.world import FAILED, World, send

pytestmark = pytest.mark.anyio
ANNA = "cli:anna@host"
WAITS = ["pending", "scheduled", "waiting"]


async def log(world: World) -> list[Deed]:
    return [each.deed for each in await world.client.audit(AuditFilter())]


async def failed(world: World, **options: Any) -> str:
    id = (await world.client.enqueue(send(max_attempts=1, **options))).id
    node = await world.node("send")
    await world.end(node, await world.claim(node), FAILED)
    return id


Play = Callable[[World], Awaitable[tuple[Action, str, dict[str, Any]]]]
"""Says a verb, by Anna; gives what the log is to say of it."""


async def cancel(world: World) -> tuple[Action, str, dict[str, Any]]:
    id = (await world.client.enqueue(send())).id
    await world.client.cancel(id, by=ANNA)
    return Action.JOB_CANCEL, id, {}


async def retry(world: World) -> tuple[Action, str, dict[str, Any]]:
    id = await failed(world)
    await world.client.retry(id, by=ANNA)
    return Action.JOB_RETRY, id, {}


async def retry_all(world: World) -> tuple[Action, str, dict[str, Any]]:
    id = await failed(world)
    await world.client.controls.retry_all(JobFilter(types=frozenset({"send"})), 10.0, by=ANNA)
    return Action.JOB_RETRY, id, {"run_at": "2026-01-01T00:00:00.000000Z"}


async def place(world: World) -> tuple[Action, str, dict[str, Any]]:
    id, controls = (await world.client.enqueue(send())).id, world.client.controls
    await controls.place(id, controls.placement(queue="slow", run_at=EPOCH + MICROS), by=ANNA)
    return Action.JOB_PLACE, id, {"queue": "slow", "run_at": "2026-01-01T00:00:01.000000Z"}


async def place_all(world: World) -> tuple[Action, str, dict[str, Any]]:
    ids, controls = [(await world.client.enqueue(send())).id for _ in range(2)], world.client.controls
    await controls.place_all(JobFilter(queues=frozenset({"mail"})), controls.placement(priority=9), by=ANNA)
    filter = {"status": ["pending", "scheduled"], "queue": ["mail"]}
    return Action.JOB_PLACE, "*", {"priority": 9, "filter": filter, "count": 2, "first": ids[0], "last": ids[1]}


async def purge(world: World) -> tuple[Action, str, dict[str, Any]]:
    ids = [(await world.client.enqueue(send(tags=("t",)))).id for _ in range(2)]
    await world.client.controls.purge(JobFilter(types=frozenset({"send"}), tags=frozenset({"t"})), by=ANNA)
    filter = {"status": WAITS, "type": ["send"], "tag": ["t"]}
    return Action.JOB_PURGE, "*", {"filter": filter, "count": 2, "first": ids[0], "last": ids[1]}


async def purge_by_a_text(world: World) -> tuple[Action, str, dict[str, Any]]:
    id = (await world.client.enqueue(send())).id
    await world.client.controls.purge(world.client.read_filter("payload.to:a,b -tag:t created:>=2026-01-01"), by=ANNA)
    filter = {"status": WAITS, "text": "-tag:t payload.to:*** created:>=2026-01-01"}
    return Action.JOB_PURGE, id, {"filter": filter}


async def delete(world: World) -> tuple[Action, str, dict[str, Any]]:
    id = await failed(world)
    await world.client.controls.delete(id, by=ANNA)
    return Action.JOB_DELETE, id, {}


async def pause(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.client.rules.pause(Scope.QUEUE, "mail", by=ANNA)
    return Action.QUEUE_PAUSE, "mail", {}


async def resume(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.memory.pause(Scope.TYPE, "send", True)
    await world.client.rules.resume(Scope.TYPE, "send", by=ANNA)
    return Action.TYPE_RESUME, "send", {}


async def limit(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.client.rules.limit(Scope.TYPE, "send", limit_of(rate=5, burst=2), by=ANNA)
    return Action.TYPE_LIMIT, "send", {"rate": 5.0, "burst": 2}


async def end_a_limit(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.memory.limit(Scope.QUEUE, "mail", limit_of(concurrency=1))
    await world.client.rules.limit(Scope.QUEUE, "mail", limit_of(), by=ANNA)
    return Action.QUEUE_LIMIT, "mail", {}


async def set_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.client.keys.set("k", gate_rule(sequence=True, on_failure="pass"), by=ANNA)
    return Action.KEY_SET, "k", {"sequence": True, "on_failure": "pass"}


async def unset_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.memory.set_key("k", gate_rule(concurrency=2), EPOCH)
    await world.client.keys.unset("k", by=ANNA)
    return Action.KEY_UNSET, "k", {}


async def pause_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.client.keys.pause("k", by=ANNA)
    return Action.KEY_PAUSE, "k", {}


async def resume_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.memory.pause_key("k", True, EPOCH)
    await world.client.keys.resume("k", by=ANNA)
    return Action.KEY_RESUME, "k", {}


async def pass_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.memory.set_key("k", gate_rule(sequence=True), EPOCH)
    await failed(world, key="k")
    await world.client.keys.let_pass("k", by=ANNA)
    return Action.KEY_PASS, "k", {}


NIGHTLY = ScheduleRequest("nightly", Cron("0 3 * * *", "Europe/Berlin"), send())


async def put(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.client.schedules.put(NIGHTLY, by=ANNA)
    return Action.SCHEDULE_PUT, "nightly", {"cron": "0 3 * * *", "time_zone": "Europe/Berlin", "type": "send"}


async def scheduled(world: World) -> None:
    """A schedule that is there without a deed, as code declares it."""
    await world.client.schedules.put(NIGHTLY)
    world.memory._tables.audit.clear()


async def pause_schedule(world: World) -> tuple[Action, str, dict[str, Any]]:
    await scheduled(world)
    await world.client.schedules.pause("nightly", by=ANNA)
    return Action.SCHEDULE_PAUSE, "nightly", {}


async def resume_schedule(world: World) -> tuple[Action, str, dict[str, Any]]:
    await scheduled(world)
    await world.memory.pause_schedule("nightly", True, EPOCH)
    await world.client.schedules.resume("nightly", by=ANNA)
    return Action.SCHEDULE_RESUME, "nightly", {}


async def drop(world: World) -> tuple[Action, str, dict[str, Any]]:
    await scheduled(world)
    await world.client.schedules.drop("nightly", by=ANNA)
    return Action.SCHEDULE_DROP, "nightly", {}


async def run(world: World) -> tuple[Action, str, dict[str, Any]]:
    await scheduled(world)
    accepted = await world.client.schedules.run("nightly", by=ANNA)
    return Action.SCHEDULE_RUN, "nightly", {"job": accepted.id}


async def add_api_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await world.client.access.add("web", ["read"], queues=["mail"], by=ANNA)
    return Action.API_KEY_ADD, "web", {"scopes": ["read"], "queues": ["mail"]}


async def rotate_api_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await kept_api_key(world)
    await world.client.access.rotate("web", by=ANNA)
    return Action.API_KEY_ROTATE, "web", {}


async def revoke_api_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    await kept_api_key(world)
    await world.client.access.revoke("web", by=ANNA)
    return Action.API_KEY_REVOKE, "web", {}


async def forget_api_key(world: World) -> tuple[Action, str, dict[str, Any]]:
    """One that had ended is only dropped."""
    await kept_api_key(world, created_at=0, expires_at=1)
    await world.client.access.revoke("web", forget=True, by=ANNA)
    return Action.API_KEY_DROP, "web", {}


async def kept_api_key(world: World, **other: Any) -> None:
    key = ApiKey(
        id="1" * 16, name="web", digest="d", rights=(Right.READ,), **{"created_at": world.clock.now(), **other}
    )
    await world.store.add_api_key(key, world.clock.now())


async def start_operation(world: World) -> tuple[Action, str, dict[str, Any]]:
    started = await world.client.operations.start("change", "payload.to:a", priority=9, by=ANNA)
    filter = {"status": ["pending", "scheduled"], "text": "payload.to:***"}
    change = {"queue": None, "priority": 9, "run_at": None}
    return Action.OPERATION_START, started.id, {"does": "change", "filter": filter, "change": change}


async def cancel_operation(world: World) -> tuple[Action, str, dict[str, Any]]:
    started = await world.client.operations.start("retry", "type:*")
    world.memory._tables.audit.clear()
    await world.client.operations.cancel(started.id, by=ANNA)
    return Action.OPERATION_CANCEL, started.id, {}


def telling(wish: NodeWish, action: Action) -> Play:
    async def tell(world: World) -> tuple[Action, str, dict[str, Any]]:
        await world.node("send")
        (node,) = await world.client.nodes()
        await world.client.commanding.command(node.id, wish, by=ANNA)
        return action, node.id, {}

    return tell


PLAYS: list[Play] = [
    telling(NodeWish.QUIET, Action.NODE_QUIET),
    telling(NodeWish.RESUME, Action.NODE_RESUME),
    telling(NodeWish.STOP, Action.NODE_STOP),
    start_operation,
    cancel_operation,
    add_api_key,
    rotate_api_key,
    revoke_api_key,
    forget_api_key,
    cancel,
    retry,
    retry_all,
    place,
    place_all,
    purge,
    purge_by_a_text,
    delete,
    pause,
    resume,
    limit,
    end_a_limit,
    set_key,
    unset_key,
    pause_key,
    resume_key,
    pass_key,
    put,
    pause_schedule,
    resume_schedule,
    drop,
    run,
]


@pytest.mark.parametrize("play", PLAYS)
async def test_the_log_says_who_did_what_to_what(world: World, play: Play) -> None:
    action, target, detail = await play(world)
    assert await log(world) == [Deed(EPOCH, ANNA, action, target, detail)]


async def test_every_action_but_those_of_the_other_scope_is_played(world: World) -> None:
    played = {(await play(World()))[0] for play in PLAYS}
    assert set(Action) - played == {Action.QUEUE_RESUME, Action.TYPE_PAUSE}


async def test_who_does_not_say_who_they_are_is_who_made_the_client(world: World) -> None:
    for client, actor in ((world.client, "python"), (world.another(actor="worker:7"), "worker:7")):
        await client.rules.pause(Scope.QUEUE, actor.replace(":", "."))
        assert (await log(world))[0].actor == actor


async def test_an_actor_that_cannot_be_printed_is_refused_before_anything_is_changed(world: World) -> None:
    with pytest.raises(BadOption, match="actor"):
        world.another(actor="")
    with pytest.raises(BadOption, match="actor"):
        await world.client.rules.pause(Scope.QUEUE, "mail", by="two\nlines")
    assert await world.client.rules.all() == []


async def test_a_lost_reply_leaves_one_deed(world: World) -> None:
    id = (await world.client.enqueue(send())).id
    world.store.after["retry"].append(StoreBusy("lost"))
    await world.client.cancel(id)
    with pytest.raises(Exception, match="pending"):
        await world.client.retry(id)  # it has been, and says so
    assert [deed.action for deed in await log(world)] == ["job.retry", "job.cancel"]


async def test_a_schedule_whose_job_is_refused_has_not_run(world: World) -> None:
    await world.client.schedules.put(ScheduleRequest("s", Cron("@daily"), send(unique_key="u")))
    await world.client.schedules.run("s")
    with pytest.raises(UniqueKeyTaken):
        await world.client.schedules.run("s")
    assert [deed.action for deed in await log(world)] == ["schedule.run", "schedule.put"]


async def test_what_enqueues_and_what_runs_is_no_deed(world: World) -> None:
    await failed(world)
    await world.client.enqueue_many([send(), send()])
    assert await log(world) == []
    assert [job.status for job in await world.client.list(JobFilter())].count(Status.PENDING) == 2
