"""The groups of a `Remote`, and what comes from a server bit by bit, for threads and for loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ferryman import Ferryman
from ferryman.domain.errors import JobNotFound, OperationNotFound, SyncInsideLoop, UniqueKeyTaken
from ferryman.domain.state import TERMINAL, Status
from ferryman.http.journal import ChangeJson
from ferryman.http.live import PulseJson
from ferryman.http.remote import AuditFilter, GateRule, Limit, Remote, Scope, version_of
from tests.http.remote.program import declared
from tests.http.remote.served import PATIENCE, served
from tests.http.world import UNKNOWN


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def remote(url: str) -> Iterator[Remote]:
    with Remote(url) as found:
        yield found


@pytest.fixture
def jobs(url: str) -> Iterator[Mapping[str, Any]]:
    with Ferryman(url) as app:
        yield declared(app)


def test_schedules(remote: Remote, jobs: Mapping[str, Any]) -> None:
    schedules = remote.schedules
    told = schedules.put("nightly", "30 2 * * *", jobs["add"].call(1), time_zone="Europe/Berlin", tags=["night"])
    assert (told.schedule.cron.time_zone, told.schedule.order.payload) == ("Europe/Berlin", '{"a":1}')
    assert schedules.put("nightly", "30 2 * * *", "add", {"a": 2}, overlap="skip").created_at == told.created_at
    assert schedules.pause("nightly").paused
    assert not schedules.resume("nightly").paused
    assert remote.wait_for(schedules.run("nightly").id, timeout=PATIENCE).result == "3"
    assert [each.name for each in schedules.list()] == ["nightly"]
    schedules.drop("nightly")
    assert schedules.list() == ()


def test_operations(remote: Remote) -> None:
    change = remote.controls.placement(queue="elsewhere", delay=3600)
    assert remote.operations.count("change", "queue:nowhere", change=change).count == 0
    started = remote.operations.start("change", "queue:nowhere", change=change)
    assert started.change is not None
    assert (started.change.queue, started.filter) == ("elsewhere", "queue:nowhere")
    assert remote.operations.list(limit=1)[0].id == remote.operations.get(started.id).id == started.id
    assert remote.operations.start("retry", "queue:nowhere", rate="30/m").rate == 0.5
    with pytest.raises(OperationNotFound):
        remote.operations.cancel(UNKNOWN)


def test_rules_and_keys_and_what_was_done_to_them(remote: Remote) -> None:
    assert remote.rules.limit(Scope.QUEUE, "slow", Limit(rate=0.5)).limit.rate == 0.5
    assert remote.keys.set("acme", GateRule(concurrency=1)).pinned
    assert "slow" in [rule.name for rule in remote.rules.all()]
    assert "acme" in [key.key for key in remote.keys.list()]
    assert [each.deed.action for each in remote.audit(AuditFilter(target="acme"), limit=1)] == ["key.set"]


def test_many_at_once(remote: Remote) -> None:
    placement = remote.controls.placement(run_at=datetime.now(UTC) + timedelta(hours=1))
    remote.pause("bulk")
    job = remote.enqueue("add", {"a": 1}, queue="bulk")
    moved = remote.controls.place(job.id, placement, expected=version_of(remote.get(job.id)))
    assert moved.status is Status.SCHEDULED
    assert remote.controls.would_purge("queue:bulk").count == 1
    assert remote.controls.purge("queue:bulk") == 1
    assert remote.controls.retry_all("queue:bulk status:cancelled").count == 1
    assert [each.id for each in remote.list(filter="queue:bulk -status:completed")] == [job.id]


def test_what_runs_say(remote: Remote) -> None:
    job = remote.enqueue("talk", {"lines": 3})
    assert job.result(timeout=PATIENCE) is None
    logs = remote.reports.all_logs(job.id)
    assert [each.line.message for each in logs.lines] == ["line 0", "line 1", "line 2"]
    progress = remote.reports.progress(job.id)
    assert progress is not None
    assert progress.progress.fraction == 1


def test_a_job_is_followed_to_its_end(remote: Remote) -> None:
    job = remote.enqueue("talk", {"lines": 1})
    found = list(remote.follow(job.id))
    assert found[-1] == remote.get(job.id)
    assert [each.status in TERMINAL for each in found].count(True) == 1
    with pytest.raises(JobNotFound):
        next(remote.follow(UNKNOWN))


def test_who_looks_away_asks_for_no_more(remote: Remote) -> None:
    later = remote.enqueue("add", {"a": 1}, delay=3600)
    following = remote.follow(later.id)
    assert next(following).status is Status.SCHEDULED
    remote.cancel(later.id)
    assert next(following).status is Status.CANCELLED
    assert next(following, None) is None
    for job in remote.follow(later.id):
        assert job.status is Status.CANCELLED
        break


def test_who_looks_away_from_what_is_closed_starts_nothing(url: str) -> None:
    with Remote(url) as remote:
        following = remote.follow(remote.enqueue("add", {"a": 1}, delay=3600).id)
        assert next(following).status is Status.SCHEDULED
    before = threading.active_count()
    following.close()
    assert threading.active_count() == before


def test_any_number_is_imported_and_never_held(remote: Remote, jobs: Mapping[str, Any]) -> None:
    held: list[int] = []

    def calls() -> Iterator[Any]:
        for n in range(12_000):
            held.append(n)
            yield jobs["add"].call(n).later(3600).options(queue="imported")

    assert remote.import_many(calls()) == len(held) == 12_000
    assert remote.queue("imported").scheduled == 12_000
    assert remote.controls.purge("queue:imported") == 12_000


def test_all_or_none(remote: Remote, jobs: Mapping[str, Any]) -> None:
    add, greet = remote.enqueue_all([jobs["add"].call(1), jobs["greet"].call("Ada")])
    assert (add.result(timeout=PATIENCE), greet.result(timeout=PATIENCE)) == (2, ("Hello, Ada", b"Ada"))


def test_a_refused_line_says_how_far_an_import_came(remote: Remote, jobs: Mapping[str, Any]) -> None:
    call = jobs["add"].call
    calls = (
        call(n).later(3600).options(queue="refused", unique_key="taken" if n in (10, 5200) else None)
        for n in range(6000)
    )
    with pytest.raises(UniqueKeyTaken) as caught:
        remote.import_many(calls)
    assert caught.value.__notes__ == [
        "Of this chunk 999 jobs were imported. The first one that was not is number 201 of it.",
        "5000 jobs in the chunks before this one were accepted.",
    ]


async def _groups(remote: Remote, jobs: Mapping[str, Any]) -> None:
    await remote.schedules.aput("hourly", "0 * * * *", "add", {"a": 1})
    assert (await remote.schedules.aget("hourly")).fired == 0
    await remote.schedules.adrop("hourly")
    assert not (await remote.keys.aresume("acme")).paused
    with pytest.raises(SyncInsideLoop, match="aall"):
        remote.rules.all()

    async def calls() -> AsyncIterator[Any]:
        for n in range(10):
            yield jobs["add"].call(n)

    assert await remote.aimport_many(calls()) == 10
    one, two = await remote.aenqueue_all([jobs["add"].call(1), jobs["greet"].call("Ada")])
    assert await one.aresult(PATIENCE) == 2
    assert await two.aresult(PATIENCE) == ("Hello, Ada", b"Ada")
    job = await remote.aenqueue("talk", {"lines": 1})
    found = [each.status async for each in remote.afollow(job.id)]
    assert found[-1] is Status.COMPLETED
    with pytest.raises(SyncInsideLoop, match="afollow"):
        next(remote.follow(job.id))


def test_the_twins(remote: Remote, jobs: Mapping[str, Any]) -> None:
    remote.keys.set("acme", GateRule(concurrency=1))
    asyncio.run(_groups(remote, jobs))


def test_what_happens_to_all_jobs_is_heard(remote: Remote, jobs: Mapping[str, Any]) -> None:
    heard = threading.Event()

    def enqueue() -> None:
        while not heard.is_set():
            remote.enqueue(jobs["add"].call(1))

    thread = threading.Thread(target=enqueue)
    thread.start()
    try:
        changes = remote.events(status="completed")
        first = next(changes)
        changes.close()
        second = asyncio.run(_first(remote))
    finally:
        heard.set()
        thread.join()
    assert first is not None
    assert (first.status, first.what) == ("completed", "done")
    assert second is not None
    assert second.what == "created"


async def _first(remote: Remote) -> ChangeJson | None:
    async with aclosing(remote.aevents(status=["pending"])) as changes:
        return await anext(changes)


def test_how_many_jobs_there_are_is_told(remote: Remote, jobs: Mapping[str, Any]) -> None:
    remote.enqueue(jobs["add"].call(1), queue="counted", delay=3600)
    assert remote.counts(queue="counted", type="a*").scheduled == 1
    pulses = remote.pulses(queue="counted")
    assert next(pulses).counts == remote.counts(queue=["counted"])
    remote.enqueue(jobs["add"].call(1), queue="counted", delay=3600)
    assert next(pulses).counts.scheduled == 2
    pulses.close()
    assert asyncio.run(_pulse(remote)).queues[0].queue == "counted"


async def _pulse(remote: Remote) -> PulseJson:
    async with aclosing(remote.apulses(queue="counted")) as pulses:
        return await anext(pulses)


def test_help_shows_the_words_of_a_groups_verb() -> None:
    assert "Raises ScheduleNotFound" in (type(Remote("http://queue.test").schedules).pause.__doc__ or "")
