"""All changes are heard, over streams that break off."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.http.journal import ChangeJson
from ferryman.http.remote.following import Hearing
from ferryman.http.wire import write_moment
from tests.http.remote.lines import Scripted, Times, client_over
from tests.http.remote.test_following import stream
from tests.http.world import UNKNOWN

pytestmark = pytest.mark.anyio


def change(claim: int) -> ChangeJson:
    return ChangeJson(UNKNOWN, "mail", "send", "completed", "done", claim, write_moment(0))


def told(claim: int) -> bytes:
    return b"id: 1-%d\nevent: completed\ndata: %b\n\n" % (claim, msgspec.json.encode(change(claim)))


async def heard(hearing: Hearing, count: int) -> list[int | None]:
    """The claim numbers of the next changes."""
    found: list[int | None] = []
    async for each in hearing:
        found.append(None if each is None else each.claim)
        if len(found) == count:
            await hearing.close()
            return found
    raise AssertionError("it has no end")


async def test_a_stream_that_breaks_off_is_begun_anew_where_it_was(times: Times) -> None:
    line = Scripted(
        stream(b":\nid: 0-0\n\n", told(1)),
        stream(b":\nid: 1-5\n\n", b"id: 1-6\nevent: comp"),
        stream(b"event: gap\ndata: {}\n\n", told(7), b"event: unheard\n\n"),
    )
    client = client_over(line, times)
    await client.open()
    assert await heard(client.events(queue="mail", type=["a*", "b"], status="completed"), 3) == [1, None, 7]
    assert [each.headers.get("last-event-id") for each in line.seen] == [None, "1-1", "1-5"]
    assert {str(each.url.query, "ascii") for each in line.seen} == {"queue=mail&type=a%2A&type=b&status=completed"}
