"""What the API tells of jobs, nodes and numbers is read as the store has it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from ferryman.domain.errors import BadOption, BadParameter, JobNotFound, RemoteError
from ferryman.domain.job import LEFT_OUT, MICROS, JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.series import MINUTE
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.options import query_of
from tests.http.remote.jobs import DONE, MINE, echo, stored
from tests.http.remote.lines import Scripted, Times, client_over
from tests.http.world import UNKNOWN, World

pytestmark = pytest.mark.anyio
BOOM = Outcome(What.FAILED, error=JobError("FM501", "ValueError", "boom", "Traceback"), retryable=False)


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
