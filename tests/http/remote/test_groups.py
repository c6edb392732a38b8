"""The verbs of each group, against the API itself: what a client over the store says, this one says, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx2
import pytest

from ferryman.client.reports import PAGE
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.audit import Action
from ferryman.domain.cron import Ambiguous, Cron, Missed
from ferryman.domain.errors import (
    ApiKeyNotFound,
    ApiKeyTaken,
    BadFilter,
    BadOption,
    BadSchedule,
    JobNotFound,
    KeyNotFound,
    NodeNotFound,
    PreconditionFailed,
    ScheduleNotFound,
    WrongContent,
    WrongState,
)
from ferryman.domain.filters import JobFilter
from ferryman.domain.job import MICROS, JobError
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.report import Line, Progress, Report
from ferryman.domain.schedule import Overlap
from ferryman.domain.state import Status
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.schedules import schedule_of
from ferryman.http.schedule_wire import next_runs
from ferryman.store.protocol import AuditFilter
from ferryman.store.scheduling import Source
from ferryman.store.watching import version_of
from tests.http.remote.jobs import echo
from tests.http.remote.lines import Times, client_over
from tests.http.world import UNKNOWN, World

pytestmark = pytest.mark.anyio

DONE = Outcome(What.DONE)
BOOM = Outcome(What.FAILED, error=JobError("FM501", "ValueError", "boom"), retryable=False)
ODD = "a/b%2F..?x=\u00e9#"


# -- rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", Scope)
async def test_rules_are_those_of_the_store(scope: Scope, world: World, client: RemoteClient) -> None:
    for name in ("mail", "..", "."):
        assert await client.rules.pause(scope, name) == Rule(scope, name, paused=True)
        bound = Limit(4, 2.5, 7)
        assert await client.rules.limit(scope, name, bound) == Rule(scope, name, paused=True, limit=bound)
        assert list(await client.rules.all()) == list(await world.client.rules.all())
        assert await client.rules.resume(scope, name) == Rule(scope, name, limit=bound)
        assert await client.rules.limit(scope, name, Limit(rate=1)) == Rule(scope, name, limit=Limit(rate=1))
        assert await client.rules.limit(scope, name, Limit()) == Rule(scope, name)
    assert await client.rules.all() == ()


async def test_a_rule_for_no_name_and_a_limit_that_is_none_are_refused(client: RemoteClient) -> None:
    with pytest.raises(BadOption):
        await client.rules.pause(Scope.QUEUE, "no/queue")
    with pytest.raises(WrongContent, match="concurrency"):
        await client.rules.limit(Scope.TYPE, "echo", Limit(0))


# -- keys --------------------------------------------------------------------------------------------

RULES = (
    GateRule(2, 3.5, 4),
    GateRule(strict=True, on_failure=OnFailure.PASS),
    GateRule(strict=True),
    GateRule(share=7),
)


@pytest.mark.parametrize("rule", RULES)
async def test_a_key_is_that_of_the_store_whatever_it_is_called(
    rule: GateRule, world: World, client: RemoteClient
) -> None:
    for key in ("acme", ODD, "..", "a/b"):
        with pytest.raises(KeyNotFound):
            await client.keys.get(key)
        assert await client.keys.set(key, rule) == await world.client.keys.get(key)
        assert (await client.keys.get(key)).rule == rule
        assert (await client.keys.pause(key)).paused
        assert not (await client.keys.resume(key)).paused
    assert list(await client.keys.list()) == list(await world.client.keys.list())
    assert [each.key for each in await client.keys.list("a/b", 1)] == [ODD]


async def test_a_rule_is_unset_and_a_sequence_goes_on(world: World, client: RemoteClient) -> None:
    await client.keys.set("k", GateRule(strict=True))
    failed = (await client.enqueue(echo(key="k"))).id
    await client.enqueue(echo(key="k"))
    await world.finish(BOOM)
    assert (await client.keys.get("k")).held_by == (failed,)
    assert not (await client.keys.unset("k")).pinned
    assert await client.keys.let_pass("k") == (failed,)


# -- schedules ---------------------------------------------------------------------------------------


async def test_a_schedule_is_that_of_the_store(world: World, client: RemoteClient) -> None:
    request = ScheduleRequest(
        "nightly",
        Cron("30 2 * * *", "Europe/Berlin", Ambiguous.BOTH),
        echo(payload='{"a":1}', queue="mail", priority=2, max_attempts=3, timeout=4.0, unique_key="u", tags=("x",)),
        Missed.ALL,
        7,
        Overlap.SKIP,
    )
    told = await client.schedules.put(request)
    kept = await world.client.schedules.get("nightly")
    for name in ("name", "schedule", "paused", "source", "overridden", "last_job", "fired", "skipped", "created_at"):
        assert getattr(told, name) == getattr(kept, name), name
    assert told.source is Source.PEOPLE
    assert list(told.next_runs) == next_runs(kept, world.clock.now())
    assert told.in_words
    assert await client.schedules.get("nightly") == told
    assert await client.schedules.list() == (told,)
    assert (await client.schedules.pause("nightly")).paused
    assert not (await client.schedules.resume("nightly")).paused


async def test_the_job_of_a_schedule_is_run_now(world: World, client: RemoteClient) -> None:
    await client.schedules.put(schedule_of("nightly", "0 3 * * *", "echo", {"a": 1}, queue="mail", tags=["x"]))
    job = await client.schedules.run("nightly")
    assert job == await world.client.get(job.id)
    assert (job.queue, job.payload, job.tags) == ("mail", '{"a":1}', ("x",))
    await client.schedules.drop("nightly")
    assert await client.schedules.list() == ()


@pytest.mark.parametrize("name", ["nothing", "", "a/b", "..", "\ud800"])
async def test_a_schedule_that_is_not_there(name: str, client: RemoteClient) -> None:
    verbs = client.schedules
    for verb in (verbs.get, verbs.pause, verbs.resume, verbs.drop, verbs.run):
        with pytest.raises(ScheduleNotFound):
            await verb(name)


async def test_a_schedule_that_can_be_none_is_refused(client: RemoteClient) -> None:
    with pytest.raises(BadSchedule):
        await client.schedules.put(schedule_of("s", "61 * * * *", "echo"))
    with pytest.raises(BadOption, match="delay"):
        await client.schedules.put(ScheduleRequest("s", Cron("* * * * *"), echo(delay=5.0)))
    with pytest.raises(BadOption, match="missed"):
        schedule_of("s", "* * * * *", "echo", **cast("Any", {"missed": "perhaps"}))
    with pytest.raises(BadOption):
        await client.schedules.put(schedule_of("no name", "* * * * *", "echo"))


# -- places, and many at once ------------------------------------------------------------------------


async def test_a_job_that_waits_is_placed(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    placement = client.controls.placement
    moved = await client.controls.place(id, placement(queue="mail", priority=1))
    assert (moved.queue, moved.priority, moved.status) == ("mail", 1, Status.PENDING)
    now = world.clock.now()
    assert (await client.controls.place(id, placement(delay=timedelta(minutes=1)))).run_at == now + 60 * MICROS
    at = datetime.fromtimestamp(now // MICROS + 3600, UTC)
    assert (await client.controls.place(id, placement(run_at=at))).run_at == int(at.timestamp()) * MICROS
    assert (await client.controls.place(id, placement(run_at=now))).status is Status.PENDING


@pytest.mark.parametrize(
    "given",
    [{}, {"queue": "a/b"}, {"priority": 10}, {"delay": -1}, {"delay": 1, "run_at": 1}, {"run_at": 10**30}],
)
async def test_a_place_that_is_none_is_refused(given: Mapping[str, Any], client: RemoteClient) -> None:
    with pytest.raises(BadOption):
        client.controls.placement(**given)


async def test_a_job_that_has_ended_is_deleted(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    with pytest.raises(WrongState):
        await client.controls.delete(id)
    await world.finish(DONE)
    await client.controls.delete(id)
    with pytest.raises(JobNotFound):
        await client.get(id)
    with pytest.raises(JobNotFound):
        await client.controls.delete(id)


@pytest.mark.parametrize("filter", ["queue:mail tag:x", JobFilter(queues=frozenset({"mail"}), tags=frozenset({"x"}))])
async def test_a_queue_is_purged_once_that_was_counted(
    filter: JobFilter | str, world: World, client: RemoteClient
) -> None:
    for tags in (("x",), ("x",), ()):
        await client.enqueue(echo(queue="mail", tags=tags))
    would = await client.controls.would_purge(filter)
    assert (would.count, would.complete) == (2, True)
    assert (await world.client.counts()).standing["mail", Status.PENDING] == 3
    assert await client.controls.purge(filter) == 2
    assert (await client.queue("mail")).pending == 1


@pytest.mark.parametrize("filter", ["tag:x", "queue:a,b", "queue:mail status:processing"])
async def test_a_purge_of_more_than_a_queue_is_refused(filter: str, client: RemoteClient) -> None:
    with pytest.raises(WrongContent):
        await client.controls.purge(filter)
    with pytest.raises(WrongContent):
        await client.controls.would_purge(filter)


async def test_many_are_sent_back_once_they_were_counted(world: World, client: RemoteClient) -> None:
    for _ in range(3):
        await client.enqueue(echo(queue="mail"))
    await world.finish(BOOM)
    assert (await client.controls.would_retry("queue:mail")).count == 3
    assert (await client.controls.retry_all("queue:other")).count == 0
    told = await client.controls.retry_all("queue:mail", "1/m")
    assert (told.count, told.taken, told.last_at) == (3, 0, world.clock.now() + 120 * MICROS)
    with pytest.raises(BadFilter):
        await client.controls.purge("queue:mail (")
    with pytest.raises(WrongContent):
        await client.controls.retry_all("queue:mail", rate=-1)


# -- versions ----------------------------------------------------------------------------------------


async def test_what_has_changed_since_it_was_read_is_left_alone(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    before = version_of(await client.get(id))
    place = client.controls.placement(priority=1)
    await client.controls.place(id, place, expected=before)
    for verb in (
        client.cancel(id, expected=before),
        client.retry(id, expected=before),
        client.controls.place(id, place, expected=before),
        client.controls.delete(id, expected=before),
    ):
        with pytest.raises(PreconditionFailed):
            await verb
    assert (await client.cancel(id, expected=version_of(await client.get(id)))).status is Status.CANCELLED
    assert (await client.retry(id, expected=version_of(await client.get(id)))).status is Status.PENDING
    await world.finish(DONE)
    await client.controls.delete(id, expected=version_of(await client.get(id)))


# -- what runs say -----------------------------------------------------------------------------------


async def reported(world: World, client: RemoteClient, lines: int, dropped: int = 0) -> str:
    id = (await client.enqueue(echo())).id
    [job] = await world.claim()
    said = [Line(world.clock.now() + n, "info", "mine", f"line {n}") for n in range(lines)]
    progress = Progress(3, 4.5, "on it", world.clock.now())
    report = Report(id, job.number, job.attempt, world.batch, 1, progress, 0, said, dropped)
    await world.store.report(cast("int", world.node), [report])
    return id


async def test_progress_and_logs_are_those_of_the_store(world: World, client: RemoteClient) -> None:
    id = await reported(world, client, 7, 2)
    assert await client.reports.progress(id) == await world.client.reports.progress(id)
    told, kept = await client.reports.logs(id), await world.client.reports.logs(id)
    assert (list(told.lines), told.dropped) == (list(kept.lines), kept.dropped)
    assert told.dropped == 2
    last = told.lines[3]
    rest = await client.reports.logs(id, after=(last.number, last.place), limit=2)
    assert list(rest.lines) == list(kept.lines[4:6])
    assert list((await client.reports.logs(id, claim=last.number + 1)).lines) == []


async def test_every_line_is_read_page_by_page(world: World, client: RemoteClient) -> None:
    id = await reported(world, client, PAGE + 5)
    assert [each.place for each in (await client.reports.all_logs(id)).lines] == list(range(PAGE + 5))


async def test_a_job_that_has_said_nothing(client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    assert await client.reports.progress(id) is None
    assert list((await client.reports.all_logs(id)).lines) == []
    with pytest.raises(JobNotFound):
        await client.reports.progress(UNKNOWN)


# -- who may, and who did ----------------------------------------------------------------------------


async def test_api_keys_are_made_rotated_and_revoked(world: World, times: Times) -> None:
    remote = client_over(httpx2.ASGITransport(world.api), times)
    await remote.open()
    shown = await world.key("admin", name="boss")
    boss = client_over(httpx2.ASGITransport(world.api), times, api_key=shown["Authorization"].removeprefix("Bearer "))
    await boss.open()
    end = world.clock.now() + 3600 * MICROS
    issued = await boss.access.add("web", ["read", "enqueue"], queues=["mail"], rate="2/s", burst=9, expires_at=end)
    [kept] = [key for key in await world.client.access.list() if key.name == "web"]
    assert issued.key.id == kept.id
    assert issued.text.reveal().startswith(f"ferryman_{kept.id}_")
    assert "ferryman_" not in repr(issued)
    for name in ("name", "rights", "queues", "rate", "burst", "created_at", "expires_at"):
        assert getattr(issued.key, name) == getattr(kept, name), name
    assert [key.name for key in await boss.access.list()] == ["boss", "web"]
    with pytest.raises(ApiKeyTaken):
        await boss.access.add("web", ["read"])
    assert (await boss.access.rotate("web", 60)).key.id != kept.id
    assert await boss.access.revoke("web", kept.id) == 1
    assert await boss.access.revoke("web") == 1
    with pytest.raises(ApiKeyNotFound):
        await boss.access.revoke("web")
    for name, scopes in (("a b", ["read"]), ("x", []), ("x", ["fly"])):
        with pytest.raises(BadOption):
            await boss.access.add(name, scopes)
    await boss.close()
    await remote.close()


async def test_the_audit_log_is_that_of_the_store(world: World, client: RemoteClient) -> None:
    await client.pause("mail")
    await client.pause("web")
    await client.resume("mail")
    told = await client.audit()
    assert list(told) == list(await world.client.audit(AuditFilter()))
    assert [each.number for each in await client.audit(AuditFilter(target="mail"), limit=1)] == [told[0].number]
    assert [each.deed.target for each in await client.audit(after=told[0].number)] == ["web", "mail"]
    assert list(await client.audit(AuditFilter(action=Action.JOB_CANCEL))) == []


async def test_one_node_and_one_queue(world: World, client: RemoteClient) -> None:
    await client.enqueue(echo(queue="mail"))
    assert ((await client.queue("mail")).pending, (await client.queue("..")).pending) == (1, 0)
    await world.claim()
    [node] = await world.client.nodes()
    assert await client.node(node.id) == node
    for id in ("nothing", "..", "\ud800"):
        with pytest.raises(NodeNotFound):
            await client.node(id)


# -- many lines --------------------------------------------------------------------------------------


async def stored(world: World) -> Sequence[str]:
    return [job.payload for job in await world.client.list(JobFilter(limit=10_000))]


async def test_jobs_are_imported_in_order(world: World, client: RemoteClient) -> None:
    payloads = [f'{{"n":{n}}}' for n in range(2500)]
    assert await client.import_chunk([echo(payload=each) for each in payloads]) == 2500
    assert await stored(world) == payloads
    assert await client.import_chunk([]) == 0


async def test_a_line_that_is_refused_ends_an_import_and_a_note_says_where(world: World, client: RemoteClient) -> None:
    asked = [echo() if n != 3 else echo(payload='{"refuse":1}') for n in range(6)]
    with pytest.raises(Exception, match="Line 4") as caught:
        await client.import_chunk(asked)
    assert caught.value.__notes__ == [
        "Of this chunk 3 jobs were imported. The first one that was not is number 4 of it."
    ]
    assert len(await stored(world)) == 3
    with pytest.raises(BadOption, match="id instead"):
        await client.import_chunk([echo(idempotency_key="k")])
