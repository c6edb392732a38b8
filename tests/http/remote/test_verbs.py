"""Each verb, against the API itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import httpx2
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from ferryman.client import JobRequest
from ferryman.domain.errors import (
    BadOption,
    BadParameter,
    IdempotencyKeyReused,
    JobNotFound,
    PayloadTooLarge,
    QueueFull,
    RemoteError,
    ResultTimeout,
    TransactionImpossible,
    UniqueKeyTaken,
    UnknownType,
    WrongArgumentType,
    WrongContent,
    WrongState,
)
from ferryman.domain.job import LEFT_OUT, MICROS, Job, JobError
from ferryman.domain.nodes import Condition, RunningJob
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.series import MINUTE
from ferryman.domain.state import Status
from ferryman.http.remote import sending
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.options import query_of
from ferryman.store.protocol import JobFilter
from tests.http.remote.lines import Impatient, Scripted, Times, client_over, problem
from tests.http.world import MAX_BODY, UNKNOWN, OneType, World

pytestmark = pytest.mark.anyio

MINE = "01890a5d-ac96-774b-bcce-b302099a8057"
DONE = Outcome(What.DONE, result='{"a":[1.5,"\u00e9"]}')
BOOM = Outcome(What.FAILED, error=JobError("FM501", "ValueError", "boom", "Traceback"), retryable=False)


def echo(payload: str = "{}", **more: object) -> JobRequest:
    return JobRequest("echo", payload, **more)  # type: ignore[arg-type]


async def stored(world: World) -> Sequence[Job]:
    return await world.client.list(JobFilter(limit=10_000))


# -- handing in --------------------------------------------------------------------------------------


async def test_a_job_is_handed_in_and_read_again_as_the_store_has_it(world: World, client: RemoteClient) -> None:
    accepted = await client.enqueue(
        echo(
            '{"to":"a@b.c","n":[1,2.50,null],"text":"\u00e9\U0001f6a2"}',
            queue="mail",
            priority=2,
            max_attempts=3,
            timeout=4.5,
            unique_key="k-\u00e9",
            tags=("x", "y"),
            expires_at=world.clock.now() + 90_000_000,
        )
    )
    assert (accepted.replayed, accepted.existed) == (False, False)
    [job] = await stored(world)
    assert await client.get(accepted.id) == job
    assert (job.queue, job.priority, job.max_attempts, job.tags) == ("mail", 2, 3, ("x", "y"))
    assert [each.timeout for each in await world.claim()] == [4.5]


@pytest.mark.parametrize("named", ["delay", "run_at"])
async def test_a_job_for_later(named: str, world: World, client: RemoteClient) -> None:
    when = 60.0 if named == "delay" else world.clock.now() + 60_000_000
    accepted = await client.enqueue(echo(**cast("dict[str, Any]", {named: when})))
    job = await client.get(accepted.id)
    assert (job.status, job.run_at) == (Status.SCHEDULED, world.clock.now() + 60_000_000)


async def test_an_id_of_the_callers_own_is_kept_and_said_twice_is_done_once(world: World, client: RemoteClient) -> None:
    first = await client.enqueue(echo(id=MINE))
    again = await client.enqueue(echo(id=MINE))
    assert (first.id, first.replayed) == (MINE, False)
    assert (again.id, again.replayed) == (MINE, True)
    assert len(await stored(world)) == 1


async def test_an_idempotency_key_is_kept(world: World, client: RemoteClient) -> None:
    first = await client.enqueue(echo('{"a":1}', idempotency_key="k-1"))
    again = await client.enqueue(echo('{"a":1}', idempotency_key="k-1"))
    assert (again.id, again.replayed) == (first.id, True)
    with pytest.raises(IdempotencyKeyReused):
        await client.enqueue(echo('{"a":2}', idempotency_key="k-1"))
    assert len(await stored(world)) == 1


async def test_a_taken_unique_key_names_or_gives_its_holder(client: RemoteClient) -> None:
    first = await client.enqueue(echo(unique_key="k"))
    with pytest.raises(UniqueKeyTaken) as caught:
        await client.enqueue(echo(unique_key="k"))
    assert caught.value.holder == first.id
    given = await client.enqueue(echo(unique_key="k", on_conflict="return"))
    assert (given.id, given.existed) == (first.id, True)


async def test_what_is_wrong_is_told_by_whoever_sees_it_first(client: RemoteClient) -> None:
    with pytest.raises(BadOption, match="priority"):
        await client.enqueue(echo(priority=11))
    with pytest.raises(UnknownType, match="Did you mean echo"):
        await client.enqueue(JobRequest("ecko"))
    with pytest.raises(WrongArgumentType):
        await client.enqueue(echo('{"refuse":1}'))


async def test_a_full_queue_is_waited_for_as_long_as_is_said(times: Times) -> None:
    remote = client_over(httpx2.ASGITransport(World(max_pending=1).api), times)
    await remote.open()
    await remote.enqueue(echo())
    with pytest.raises(QueueFull) as caught:
        await remote.enqueue(echo(), 0)
    assert caught.value.retry_after >= 1
    assert times.slept == []
    with pytest.raises(QueueFull):
        await remote.enqueue(echo(), 5)
    assert round(sum(times.slept), 3) == 5
    await remote.close()


async def test_types_of_this_process_are_judged_before_anything_is_sent(times: Times) -> None:
    line = Scripted()
    remote = client_over(line, times, catalogue=OneType())
    await remote.open()
    with pytest.raises(WrongArgumentType):
        await remote.enqueue(echo('{"refuse":1}'))
    with pytest.raises(PayloadTooLarge):
        await remote.enqueue(echo('"' + "x" * 2_000_000 + '"', checked=True))
    assert line.seen == []


async def test_what_this_process_declares_of_a_type_goes_along(times: Times) -> None:
    line = Scripted(problem(422, "FM310"), problem(422, "FM310"))
    remote = client_over(line, times, catalogue=OneType())
    await remote.open()
    for request in (echo(), JobRequest("other")):
        with pytest.raises(UnknownType):
            await remote.enqueue(request)
    known, foreign = (msgspec.json.decode(each.content) for each in line.seen)
    assert (known["queue"], known["priority"], known["max_attempts"]) == ("default", 5, 5)
    assert set(foreign) == {"type", "payload", "id"}


# -- many --------------------------------------------------------------------------------------------


async def test_many_are_handed_in_in_order(world: World, client: RemoteClient) -> None:
    assert await client.enqueue_chunk([echo(f'{{"n":{n}}}') for n in range(250)]) == 250
    jobs = await stored(world)
    assert [msgspec.json.decode(job.payload)["n"] for job in jobs] == list(range(250))


async def test_no_request_is_longer_than_the_server_takes(world: World, times: Times) -> None:
    asked: list[int] = []

    class Counting(httpx2.ASGITransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            asked.append(len(await request.aread()))
            return await super().handle_async_request(request)

    remote = client_over(Counting(world.api), times)
    await remote.open()
    requests = [echo(msgspec.json.encode({"text": "x" * (n * 37 % 3900)}).decode()) for n in range(100)]
    assert await remote.enqueue_chunk(requests) == 100
    assert len(await stored(world)) == 100
    assert max(asked) <= MAX_BODY
    assert 1 < len(asked) < 100
    await remote.close()


async def test_those_with_an_idempotency_key_go_alone_and_in_their_place(world: World, client: RemoteClient) -> None:
    requests = [echo('{"n":0}'), echo('{"n":1}', idempotency_key="k"), echo('{"n":2}'), echo('{"n":3}')]
    assert await client.enqueue_chunk(requests) == 4
    assert await client.enqueue_chunk(requests[1:2]) == 1
    assert sorted(msgspec.json.decode(job.payload)["n"] for job in await stored(world)) == [0, 1, 2, 3]


async def test_the_first_refusal_ends_it_and_the_others_of_its_request_are_stored(
    world: World, client: RemoteClient
) -> None:
    taken = await client.enqueue(echo(unique_key="k"))
    with pytest.raises(UniqueKeyTaken) as caught:
        await client.enqueue_chunk([echo(), echo(unique_key="k"), echo()])
    assert caught.value.holder == taken.id
    assert len(await stored(world)) == 3


async def test_all_or_none(world: World, client: RemoteClient) -> None:
    ids = await client.enqueue_all([echo(f'{{"n":{n}}}') for n in range(3)])
    assert [job.id for job in await stored(world)] == list(ids)
    with pytest.raises(WrongContent) as caught:
        await client.enqueue_all([echo(), JobRequest("ecko"), echo('{"refuse":1}')])
    assert [pointer for pointer, _ in caught.value.errors] == ["/jobs/1/type", "/jobs/2/payload"]
    for many in ([], [echo()] * 1001, [echo(), echo(idempotency_key="k")]):
        with pytest.raises(BadOption):
            await client.enqueue_all(many)
    with pytest.raises(PayloadTooLarge, match="together"):
        await client.enqueue_all([echo(msgspec.json.encode({"text": "x" * 2000}).decode()) for _ in range(3)])
    assert len(await stored(world)) == 3


async def test_nothing_is_nothing(client: RemoteClient) -> None:
    assert await client.enqueue_chunk([]) == 0


async def test_an_answer_for_too_few_jobs_is_none(times: Times) -> None:
    remote = client_over(Scripted(httpx2.Response(200, content=b'{"jobs": [{"id": "x"}]}')), times)
    await remote.open()
    with pytest.raises(RemoteError, match="1 of 2 jobs"):
        await remote.enqueue_chunk([echo(), echo()])


# -- reading -----------------------------------------------------------------------------------------


async def test_a_job_that_has_ended(world: World, client: RemoteClient) -> None:
    done = (await client.enqueue(echo())).id
    await world.finish(DONE)
    failed = (await client.enqueue(echo())).id
    await world.finish(BOOM)
    nothing = (await client.enqueue(echo())).id
    await world.finish(Outcome(What.DONE, result="null"))
    for id in (done, failed, nothing):
        expected = await world.client.get(id)
        if expected.error is not None:  # the traceback is with the attempts
            expected = msgspec.structs.replace(
                expected, error=JobError(expected.error.code, expected.error.type, expected.error.message)
            )
        assert await client.get(id) == expected
        assert await client.attempts(id) == tuple(await world.client.attempts(id))


@pytest.mark.parametrize("id", [UNKNOWN, "x", "", "../health", UNKNOWN + "/cancel"])
async def test_a_job_that_is_not_there(id: str, client: RemoteClient) -> None:
    with pytest.raises(JobNotFound):
        await client.get(id)
    with pytest.raises(JobNotFound):
        await client.cancel(id)


async def test_pages_follow_one_another(world: World, client: RemoteClient) -> None:
    await client.enqueue_chunk([echo(tags=("a b&c",) if n % 2 else ()) for n in range(25)])
    for newest_first in (False, True):
        query: str | None = query_of(newest_first=newest_first, page=4, tag=["a b&c", "z"], status="pending")
        sizes, found = [], list[str]()
        while query is not None:
            jobs, query = await client.page(query)
            sizes.append(len(jobs))
            found += [job.id for job in jobs]
        assert sizes == [4, 4, 4]
        expected = [job.id for job in await stored(world) if job.tags]
        assert found == (expected[::-1] if newest_first else expected)


async def test_a_list_without_bodies(world: World, client: RemoteClient) -> None:
    await client.enqueue(echo())
    [job], _ = await client.page(query_of())
    assert "bodies" not in query_of(bodies=True), "a server that does not know it is not asked"
    assert job.payload != LEFT_OUT
    [slim], _ = await client.page(query_of(bodies=False))
    assert slim == msgspec.structs.replace(job, payload=LEFT_OUT)


async def test_a_filter_that_is_none_is_refused(client: RemoteClient) -> None:
    with pytest.raises(BadParameter, match="Did you mean pending"):
        await client.page(query_of(status="pendin"))


async def test_why_a_job_has_not_started(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo(delay=60))).id
    assert await client.explain(id) == await world.client.explain(id)


async def test_what_the_server_counts_and_knows(world: World, client: RemoteClient) -> None:
    await client.enqueue(echo())
    assert (await client.metrics())["jobs_pending"] == 1
    await world.claim()
    await client.enqueue(echo(queue="mail"))
    assert [(each.queue, each.pending, each.processing) for each in await client.queues()] == [
        ("default", 0, 1),
        ("mail", 1, 0),
    ]
    assert list(await client.nodes()) == list(await world.client.nodes())
    assert [each.type for each in await client.types()] == ["echo"]


async def test_nodes_say_how_they_are_and_are_told_what_to_do(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    await world.claim()
    assert world.node is not None
    condition = Condition(world.clock.now(), None, quiet=False, busy=1)
    for wish, tell in (("quiet", client.quiet_node), ("resume", client.resume_node), ("stop", client.stop_node)):
        await world.store.check_in(world.node, condition)
        told = await tell("node-1")
        assert (told.wish, told.condition, told) == (wish, condition, await client.node("node-1"))
    running = (RunningJob(id, 1, "node-1/worker-1", world.clock.now()),)
    await world.store.check_in(world.node, msgspec.structs.replace(condition, running=running))
    [job] = await client.node_jobs("node-1")
    assert (job.id, job.worker_id) == (id, "node-1/worker-1")
    assert [job] == await world.client.commanding.jobs("node-1")


async def test_what_happened_lately(world: World, client: RemoteClient) -> None:
    end = (world.clock.now() // MINUTE + 1) * MINUTE
    await client.enqueue(echo(queue="mail"))
    await world.store.sample(end, 1, [])
    world.clock.advance((end - world.clock.now()) / MICROS)
    [line] = (await client.stats(by="queue")).series
    assert (line.queue, line.enqueued[-1]) == ("mail", 1)
    start, stop = (datetime.fromtimestamp(at / MICROS, UTC) for at in (end - 10 * MINUTE, end))
    found = await client.stats(queue="other", type="echo", start=start, end=stop, step=300)
    assert (found.step, len(found.at)) == (300, 2 + (end % (5 * MINUTE) > 0))
    with pytest.raises(BadOption, match="time zone"):
        await client.stats(start=datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is wrong
    with pytest.raises(BadParameter, match="no statistics"):
        await client.stats(end=datetime(1999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'{"id": 1}', b"\xff", b'{"id": "x", "type": "echo"}', b"null"]
)
async def test_an_answer_that_cannot_be_read_says_so(body: bytes, times: Times) -> None:
    remote = client_over(Scripted(httpx2.Response(200, content=body)), times)
    await remote.open()
    with pytest.raises(RemoteError, match="cannot be read"):
        await remote.get(MINE)


async def test_a_status_and_a_time_that_are_none_say_so(client: RemoteClient, times: Times) -> None:
    id = (await client.enqueue(echo())).id
    real = (await client._get(f"/jobs/{id}")).body
    for wrong in (real.replace(b'"pending"', b'"asleep"'), real.replace(b'Z"', b'"')):
        remote = client_over(Scripted(httpx2.Response(200, content=wrong)), times)
        await remote.open()
        with pytest.raises(RemoteError, match="cannot be read"):
            await remote.get(id)


# -- waiting -----------------------------------------------------------------------------------------


async def impatient(world: World, times: Times) -> RemoteClient:
    remote = client_over(Impatient(world.api), times)
    await remote.open()
    return remote


async def test_the_end_of_a_job_is_waited_for(world: World, times: Times) -> None:
    client = await impatient(world, times)
    id = (await client.enqueue(echo())).id
    real = times.sleep

    async def sleep(seconds: float) -> None:
        await real(seconds)
        if len(times.slept) == 8:
            await world.finish(DONE)

    client._connection.sleep = sleep  # type: ignore[misc]
    assert (await client.wait(id)).result == DONE.result
    assert [round(each, 6) for each in times.slept] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_no_end_in_time_is_an_error(world: World, times: Times) -> None:
    client = await impatient(world, times)
    id = (await client.enqueue(echo())).id
    with pytest.raises(ResultTimeout, match="is pending after 3 s") as caught:
        await client.wait(id, 3)
    assert isinstance(caught.value, TimeoutError)
    assert round(sum(times.slept), 6) == 3
    with pytest.raises(ResultTimeout):
        await client.wait(id, 0)


async def test_a_server_is_asked_to_wait_itself_and_one_that_does_is_not_slept_for(
    client: RemoteClient, times: Times
) -> None:
    id = (await client.enqueue(echo())).id
    body = (await client._get(f"/jobs/{id}")).body
    ended = body.replace(b'"pending"', b'"completed"').replace(b'"result":null', b'"result":7')
    line = Scripted(*[httpx2.Response(200, content=each) for each in (body, body, ended)], times=times, takes=20.0)
    remote = client_over(line, times)
    await remote.open()
    assert (await remote.wait(id, 60)).result == "7"
    assert [each.headers["prefer"] for each in line.seen] == ["wait=20", "wait=20", "wait=20"]
    assert times.slept == [0.0, 0.0]


# -- changing ----------------------------------------------------------------------------------------


async def test_cancel_and_retry(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    assert (await client.cancel(id)).status is Status.CANCELLED
    with pytest.raises(WrongState):
        await client.cancel(id)
    assert (await client.retry(id)).status is Status.PENDING
    with pytest.raises(WrongState):
        await client.retry(id)
    await world.claim()
    assert (await client.cancel(id)).status is Status.PROCESSING


async def test_a_queue_is_paused_and_goes_on(client: RemoteClient) -> None:
    assert (await client.pause("mail")).paused
    assert (await client.pause("mail")).paused
    assert not (await client.resume("mail")).paused
    with pytest.raises(BadOption):
        await client.pause("no/such queue")


async def test_there_is_no_way_into_a_transaction(client: RemoteClient) -> None:
    with pytest.raises(TransactionImpossible, match="behind HTTP"):
        client.joining.enqueue(object(), [echo()], lambda: None)
    with pytest.raises(TransactionImpossible):
        await client.joining.aenqueue(object(), [echo()], lambda: None)
    await client.wake()


# -- mounted -----------------------------------------------------------------------------------------


async def test_an_api_below_another_path(world: World, times: Times) -> None:
    whole = Starlette(routes=[Mount("/shop/queue", world.api)])
    remote = client_over(httpx2.ASGITransport(whole), times, url="http://test/shop/queue/")
    await remote.open()
    await remote.enqueue_chunk([echo() for _ in range(5)])
    jobs, query = await remote.page("limit=2")
    assert len(jobs) == 2
    assert query is not None
    assert len((await remote.page(query))[0]) == 2
    await remote.close()


async def test_wrong_members_come_with_their_places(client: RemoteClient) -> None:
    with pytest.raises(WrongContent) as caught:
        await client.enqueue(echo(id=MINE.replace("-7", "-4")))
    assert [pointer for pointer, _ in caught.value.errors] == ["/id"]


async def test_what_shows_a_request_does_not_show_its_payload(times: Times) -> None:
    line = Scripted(problem(422, "FM310"))
    remote = client_over(line, times)
    await remote.open()
    request = echo('{"token":"sesame"}')
    with pytest.raises(UnknownType):
        await remote.enqueue(request)
    assert b"sesame" in line.seen[0].content
    parcel = remote._parcel(request)
    assert "sesame" not in f"{parcel!r} {sending.one(parcel, None)!r} {sending.batch([parcel])!r}"
