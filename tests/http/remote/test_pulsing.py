"""How many jobs there are, over streams that break off."""

from __future__ import annotations

import httpx2
import msgspec
import pytest

from ferryman.domain.errors import RemoteError
from ferryman.http.counts import CountsJson
from ferryman.http.live import EndedJson, PulseJson
from ferryman.http.wire import write_moment
from tests.http.remote.lines import Scripted, Times, client_over
from tests.http.remote.test_following import stream

pytestmark = pytest.mark.anyio


def pulse(enqueued: int) -> PulseJson:
    counts = CountsJson(0, 0, 1, 0, 0, 0, 0)
    return PulseJson(write_moment(0), counts, (), enqueued, EndedJson(0, 0, 0), 1)


def told(enqueued: int) -> bytes:
    return b"id: tag-%d\nevent: live\ndata: %b\n\n" % (enqueued, msgspec.json.encode(pulse(enqueued)))


async def test_a_stream_that_breaks_off_is_begun_anew(times: Times) -> None:
    line = Scripted(stream(told(1), b":\n\n"), stream(told(2), told(3)))
    client = client_over(line, times)
    await client.open()
    pulses = client.pulses(queue=["mail", "x"])
    assert [(await anext(pulses)).enqueued for _ in range(3)] == [1, 2, 3]
    await client.leave(pulses)
    assert [each.headers.get("last-event-id") for each in line.seen] == [None, "tag-1"]
    assert {str(each.url.query, "ascii") for each in line.seen} == {"queue=mail&queue=x"}


async def test_a_server_that_ends_what_has_no_end_is_none_of_ours(times: Times) -> None:
    client = client_over(Scripted(httpx2.Response(204)), times)
    await client.open()
    with pytest.raises(RemoteError):
        await client.pulses().next()
