"""The server on real sockets as it stops: what is under way ends, what is new is refused, nobody holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket

import pytest

from ferryman.client import JobRequest
from ferryman.http.server import HttpServer
from tests.http.sockets import PATIENCE, Served, Talk
from tests.http.world import World

pytestmark = pytest.mark.anyio


async def begin_slow_request(served: Served, talk: Talk) -> asyncio.Task[None]:
    """A request is under way, then the stop begins."""
    _, job = await talk.ask("POST", "/jobs", b'{"type":"echo"}')
    await talk.say("GET", f"/jobs/{job['id']}")
    await served.client.entered.wait()
    stop = asyncio.create_task(served.server.stop(PATIENCE))
    await until_refused(served)
    return stop


async def until_refused(served: Served) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        except ConnectionError:
            return
        writer.close()


async def test_stop_lets_a_request_end_and_refuses_new_connections(served: Served) -> None:
    async with served.talk() as talk:
        stop = await begin_slow_request(served, talk)
        assert not stop.done()
        served.client.gate.set()
        status, _, body = await talk.hear()
        assert (status, json.loads(body)["type"]) == (200, "echo")
        await stop
        assert await talk.is_closed()


@pytest.mark.parametrize("path", ["/health", "/jobs", "/readyz"])
async def test_a_kept_connection_is_told_503_during_a_stop(served: Served, path: str) -> None:
    async with served.talk() as kept, served.talk() as slow:
        assert (await kept.ask("GET", "/health"))[0] == 200
        stop = await begin_slow_request(served, slow)
        await kept.say("GET", path)
        status, headers, body = await kept.hear()
        assert (status, json.loads(body)["code"]) == (503, "FM450")
        assert headers["connection"] == "close"
        assert int(headers["retry-after"]) >= 1
        assert await kept.is_closed()
        served.client.gate.set()
        assert (await slow.hear())[0] == 200
        await stop


async def test_stop_ends_idle_connections(served: Served) -> None:
    async with served.talk() as talk:
        assert (await talk.ask("GET", "/health"))[0] == 200
        await served.server.stop(PATIENCE)
        assert await talk.is_closed()


async def test_a_request_that_outlasts_the_grace_is_told_503(served: Served) -> None:
    async with served.talk() as talk:
        _, job = await talk.ask("POST", "/jobs", b'{"type":"echo"}')
        await talk.say("GET", f"/jobs/{job['id']}")
        await served.client.entered.wait()
        await served.server.stop(0)
        status, _, body = await talk.hear()
        assert (status, json.loads(body)["code"]) == (503, "FM450")


async def test_a_long_page_is_sent_whole_though_the_server_stops(served: Served) -> None:
    async with served.talk() as talk:
        for _ in range(40):
            payload = b'{"type":"echo","payload":{"a":"%s"}}' % (b"x" * 3900)
            assert (await talk.ask("POST", "/jobs", payload))[0] == 201
        await talk.say("GET", "/jobs")
        await talk.reader.readuntil(b"\r\n\r\n")
        stop = asyncio.create_task(served.server.stop(PATIENCE))
        body = await talk._chunks()
        await stop
    assert len(json.loads(body)) == 40


async def test_a_client_that_does_not_read_holds_no_stop_up(served: Served) -> None:
    text = "x" * 4000
    await served.world.client.enqueue_many(JobRequest("echo", f'{{"a":"{text}"}}') for _ in range(4000))
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        deaf.sendall(b"GET /jobs?limit=10000 HTTP/1.1\r\nhost: x\r\n\r\n")
        deaf.setblocking(False)
        await asyncio.get_running_loop().sock_recv(deaf, 1)
        await served.server.stop(0)
        assert received(deaf) < 4000 * len(text)


def received(deaf: socket.socket) -> int:
    """How many bytes come before the connection ends."""
    deaf.settimeout(PATIENCE)
    count = 0
    with contextlib.suppress(ConnectionResetError):
        while data := deaf.recv(1 << 20):
            count += len(data)
    return count


async def test_stop_tolerates_twice_and_never_started(served: Served) -> None:
    await HttpServer(served.world.api, "127.0.0.1", 0).stop(PATIENCE)
    await served.server.stop(PATIENCE)
    await served.server.stop(PATIENCE)


async def test_it_can_start_again(served: Served) -> None:
    await served.server.stop(PATIENCE)
    await served.start()
    async with served.talk() as talk:
        assert await talk.ask("GET", "/health") == (200, {"status": "ok"})


async def test_a_stop_answers_those_who_wait_and_ends_their_streams(served: Served, world: World) -> None:
    job = await world.client.enqueue(JobRequest("echo"))
    served.client.gate.set()
    async with served.talk() as waits, served.talk() as follows:
        await waits.say("GET", f"/jobs/{job.id}", headers="prefer: wait=60\r\n")
        await follows.say("GET", f"/jobs/{job.id}/events")
        await follows.reader.readuntil(b"event: job")
        stop = asyncio.create_task(served.server.stop(PATIENCE))
        status, headers, body = await waits.hear()
        assert (status, json.loads(body)["status"]) == (200, "pending")
        assert headers["preference-applied"] == "wait=60"
        assert (await follows.reader.read()).endswith(b"\r\n0\r\n\r\n")
        await stop
    assert len(world.client.watcher) == 0
