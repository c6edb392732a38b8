"""Jobs are handed in, one or many, against the API itself."""

from __future__ import annotations

from typing import Any, cast

import httpx2
import msgspec
import pytest

from ferryman.client import JobRequest
from ferryman.domain.errors import (
    BadOption,
    IdempotencyKeyReused,
    PayloadTooLarge,
    QueueFull,
    RemoteError,
    TransactionImpossible,
    UniqueKeyTaken,
    UnknownType,
    WrongArgumentType,
    WrongContent,
)
from ferryman.domain.state import Status
from ferryman.http.remote import sending
from ferryman.http.remote.client import RemoteClient
from tests.http.remote.jobs import MINE, echo, stored
from tests.http.remote.lines import Scripted, Times, client_over, problem
from tests.http.world import MAX_BODY, OneType, World

pytestmark = pytest.mark.anyio


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


async def test_wrong_members_come_with_their_places(client: RemoteClient) -> None:
    with pytest.raises(WrongContent) as caught:
        await client.enqueue(echo(id=MINE.replace("-7", "-4")))
    assert [pointer for pointer, _ in caught.value.errors] == ["/id"]


async def test_there_is_no_way_into_a_transaction(client: RemoteClient) -> None:
    with pytest.raises(TransactionImpossible, match="behind HTTP"):
        client.joining.enqueue(object(), [echo()], lambda: None)
    with pytest.raises(TransactionImpossible):
        await client.joining.aenqueue(object(), [echo()], lambda: None)
    await client.wake()


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
