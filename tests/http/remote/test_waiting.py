"""The end of a job is waited for: by the server, or by asking again."""

from __future__ import annotations

import httpx2
import pytest

from ferryman.domain.errors import ResultTimeout
from ferryman.http.remote.client import RemoteClient
from tests.http.remote.jobs import DONE, echo
from tests.http.remote.lines import Impatient, Scripted, Times, client_over
from tests.http.world import World

pytestmark = pytest.mark.anyio


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
