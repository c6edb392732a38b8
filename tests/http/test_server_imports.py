"""Imports on real sockets: more bytes than any body, clients that hang up, a stop in the middle."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.http.sockets import PATIENCE, Served, Talk

pytestmark = pytest.mark.anyio
LINE = b'{"type":"echo"}\n'
IMPORT = "content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n"


async def send_lines(talk: Talk, lines: bytes) -> None:
    await talk.send(b"%x\r\n%s\r\n" % (len(lines), lines))


async def begin_import(served: Served, talk: Talk) -> None:
    """An import has stored its first chunk, and holds one line more."""
    await talk.say("POST", "/jobs/import", headers=IMPORT)
    await send_lines(talk, 1001 * LINE)
    async with served.talk() as other:
        while len((await other.ask("GET", "/jobs"))[1]) < 1000:
            pass


async def test_an_import_is_taken_though_it_has_more_bytes_than_any_body_may_have(served: Served) -> None:
    async with served.talk() as talk:
        await talk.say("POST", "/jobs/import", headers=IMPORT)
        for _ in range(5):
            await send_lines(talk, 1000 * LINE)
        await talk.send(b"0\r\n\r\n")
        status, headers, body = await talk.hear()
        assert (status, json.loads(body)) == (200, {"imported": 5000})
        assert "connection" not in headers
        assert await talk.ask("GET", "/health") == (200, {"status": "ok"})


async def test_a_client_that_writes_on_behind_a_wrong_line_reads_why(served: Served) -> None:
    async with served.talk() as talk:
        await talk.say("POST", "/jobs/import", headers=IMPORT)
        await send_lines(talk, LINE + b"{}\n" + 50_000 * LINE)
        await talk.send(b"0\r\n\r\n")
        status, headers, body = await talk.hear()
        assert (status, json.loads(body)["imported"], json.loads(body)["line"]) == (422, 1, 2)
        assert headers["connection"] == "close"
        assert await talk.is_closed()


async def test_a_client_that_hangs_up_in_an_import_leaves_no_trace_in_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async with served.talk() as talk:
        await begin_import(served, talk)
    await served.server.stop(PATIENCE)  # waits for it
    assert caplog.records == []
    assert (await served.world.client.counts()).totals["created"] == 1000


async def test_an_import_that_outlasts_the_grace_is_told_how_far_it_came(served: Served) -> None:
    async with served.talk() as talk:
        await begin_import(served, talk)
        stop = asyncio.create_task(served.server.stop(0.01))
        status, _, body = await talk.hear()
        document = json.loads(body)
        assert (status, document["code"]) == (503, "FM450")
        assert (document["imported"], document["next"], document["unsure"]) == (1000, 1001, 0)
        await stop
