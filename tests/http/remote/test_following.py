"""One job is followed to its end, over streams that break off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx2
import msgspec
import pytest

from ferryman.client import JobRequest
from ferryman.domain.errors import JobNotFound, RemoteError, ServerUnreachable
from ferryman.domain.job import Job
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.following import EVENT_STREAM
from ferryman.http.wire import job_json
from ferryman.store.watching import version_of
from tests.http.remote.lines import Scripted, Times, client_over, problem
from tests.http.world import UNKNOWN, World

pytestmark = pytest.mark.anyio

END = b'event: end\ndata: {"status":"completed"}\n\n'


class Pieces(httpx2.AsyncByteStream):
    """A body that comes so, and then ends, or breaks off."""

    def __init__(self, pieces: Sequence[bytes], then: Exception | None) -> None:
        self._pieces = pieces
        self._then = then
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._then is not None:
            raise self._then

    async def aclose(self) -> None:
        self.closed = True


def answer(body: Pieces, kind: str = EVENT_STREAM) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": kind}, stream=body)


def stream(*pieces: bytes, then: Exception | None = None) -> httpx2.Response:
    return answer(Pieces(pieces, then))


def told(job: Job) -> bytes:
    return b"retry: 3000\n\nid: %b\nevent: job\ndata: %b\n\n" % (version_of(job).tag.encode(), job_json(job))


async def states(world: World) -> Sequence[Job]:
    """A job as it was, one after the other."""
    id = (await world.client.enqueue(JobRequest("echo"))).id
    pending = await world.client.get(id)
    await world.finish(Outcome(What.DONE, result="7"))
    ended = await world.client.get(id)
    running = msgspec.structs.replace(pending, status=Status.PROCESSING, claim=1, attempt=1)
    return pending, running, ended


async def followed(client: RemoteClient, id: str) -> list[Status]:
    await client.open()
    return [job.status async for job in client.follow(id)]


async def test_a_job_that_has_ended_is_told_once(world: World, client: RemoteClient) -> None:
    *_, ended = await states(world)
    assert [job async for job in client.follow(ended.id)] == [ended]


async def test_one_stream_tells_it_all(world: World, times: Times) -> None:
    pending, running, ended = await states(world)
    whole = told(pending) + told(running) + told(ended) + END
    line = Scripted(stream(*(whole[n : n + 7] for n in range(0, len(whole), 7))))
    found = await followed(client_over(line, times), pending.id)
    assert found == [Status.PENDING, Status.PROCESSING, Status.COMPLETED]
    assert line.seen[0].headers["accept"] == EVENT_STREAM
    assert times.slept == []


@pytest.mark.parametrize("then", [None, httpx2.ReadTimeout("silence"), httpx2.RemoteProtocolError("cut")])
async def test_a_stream_that_breaks_off_is_begun_anew_where_it_was(
    then: Exception | None, world: World, times: Times
) -> None:
    pending, running, ended = await states(world)
    line = Scripted(
        stream(told(pending), b"id: x\nevent: job\nda", then=then),
        stream(b":\n\n", then=then),
        httpx2.ConnectError("down"),
        problem(503, "FM451", {"retry-after": "5"}),
        stream(told(running), then=then),
        stream(told(ended), END),
    )
    found = await followed(client_over(line, times), pending.id)
    assert found == [Status.PENDING, Status.PROCESSING, Status.COMPLETED]
    seen = [each.headers.get("last-event-id") for each in line.seen]
    first, second = version_of(pending).tag, version_of(running).tag
    assert seen == [None, first, first, first, first, second]
    assert 1.5 <= times.slept[0] <= 4.5


async def test_an_end_that_was_told_before_the_stream_broke_off(world: World, times: Times) -> None:
    *_, ended = await states(world)
    line = Scripted(stream(told(ended)), httpx2.Response(204))
    assert await followed(client_over(line, times), ended.id) == [Status.COMPLETED]


async def test_what_is_not_asked_for_any_more_is_closed(world: World, times: Times) -> None:
    pending, *_ = await states(world)
    body = Pieces([told(pending), told(pending)], None)
    client = client_over(Scripted(answer(body)), times)
    await client.open()
    following = client.follow(pending.id)
    assert await following.next() == pending
    assert not body.closed
    await client_over(Scripted(), times).leave(following)
    assert not body.closed
    await client.leave(following)
    await following.close()
    assert body.closed


async def test_a_job_that_is_not_there(client: RemoteClient) -> None:
    with pytest.raises(JobNotFound):
        await client.follow(UNKNOWN).next()
    with pytest.raises(JobNotFound):
        client.follow("../health")


async def test_a_job_that_goes_while_it_is_followed(world: World, times: Times) -> None:
    pending, *_ = await states(world)
    client = client_over(Scripted(stream(told(pending)), problem(404, "FM404")), times)
    await client.open()
    following = client.follow(pending.id)
    assert await following.next() == pending
    with pytest.raises(JobNotFound):
        await following.next()


async def test_an_answer_that_is_no_stream(times: Times) -> None:
    client = client_over(Scripted(answer(Pieces([b"<html>"], None), "text/html")), times)
    await client.open()
    with pytest.raises(RemoteError, match="not the API"):
        await client.follow(UNKNOWN).next()


async def test_where_nobody_answers_it_is_given_up(times: Times) -> None:
    client = client_over(Scripted(*[httpx2.ConnectError("down")] * 9), times)
    await client.open()
    with pytest.raises(ServerUnreachable):
        await client.follow(UNKNOWN).next()
