"""The server on real sockets: start, keep-alive, addresses."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator

import pytest

from ferryman.client import JobRequest
from ferryman.domain.errors import PortInUse
from ferryman.http.server import HttpServer
from tests.http.sockets import PATIENCE, Served
from tests.http.world import MAX_BODY, World

pytestmark = pytest.mark.anyio


async def test_it_serves_at_the_url_it_gives(served: Served) -> None:
    assert await served.server.start() == f"http://127.0.0.1:{served.port}"
    async with served.talk() as talk:
        await talk.say("GET", "/health")
        status, headers, body = await talk.hear()
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["x-request-id"] == "minted"
    assert "server" not in headers


async def test_a_connection_is_kept_for_many_requests(served: Served) -> None:
    async with served.talk() as talk:
        for number in range(3):
            status, job = await talk.ask("POST", "/jobs", b'{"type":"echo"}')
            assert status == 201
            status, jobs = await talk.ask("GET", "/jobs")
            assert len(jobs) == number + 1
            assert jobs[-1]["id"] == job["id"]


async def test_head_and_options_keep_the_connection_in_step(served: Served) -> None:
    async with served.talk() as talk:
        for method, path in (("HEAD", "/health"), ("HEAD", "/jobs"), ("OPTIONS", "/jobs")):
            await talk.say(method, path)
            head = await talk.reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] in {b"200", b"204"}
        assert await talk.ask("GET", "/health") == (200, {"status": "ok"})


async def test_a_body_in_pieces_is_taken_whole(served: Served) -> None:
    async with served.talk() as talk:
        head = "POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        await talk.send(head.encode())
        for piece in (b'{"type"', b':"echo","payload"', b':{"a":1}}'):
            await talk.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        await talk.send(b"0\r\n\r\n")
        status, _, body = await talk.hear()
        assert (status, json.loads(body)["payload"]) == (201, {"a": 1})


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_client_that_writes_all_of_a_body_that_is_too_large_reads_413(served: Served, chunked: bool) -> None:
    body = b"x" * (100 * MAX_BODY)
    async with served.talk() as talk:
        if chunked:
            await talk.say("POST", "/jobs", headers="content-type: application/json\r\ntransfer-encoding: chunked\r\n")
            await talk.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            await talk.say("POST", "/jobs", body)
        status, headers, answer = await talk.hear()
        assert (status, json.loads(answer)["code"]) == (413, "FM413")
        assert headers["connection"] == "close"
        assert await talk.is_closed()


async def test_413_is_told_before_a_declared_body_comes(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.http.exchange.LINGER_SECONDS", 0)
    async with served.talk() as talk:
        headers = "content-type: application/json\r\ncontent-length: 99999999\r\nexpect: 100-continue\r\n"
        await talk.say("POST", "/jobs", headers=headers)
        assert (await talk.hear())[0] == 413
        assert await talk.is_closed()


@pytest.mark.parametrize(
    "garbage", [b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n"]
)
async def test_what_is_no_request_gets_a_problem(served: Served, garbage: bytes) -> None:
    async with served.talk() as talk:
        await talk.send(garbage)
        status, headers, body = await talk.hear()
        assert (status, headers["content-type"]) == (400, "application/problem+json")
        assert json.loads(body)["code"] == "FM402"
        assert await talk.is_closed()


async def test_a_wait_ends_with_its_client(served: Served, world: World) -> None:
    job = await world.client.enqueue(JobRequest("echo"))
    served.client.gate.set()
    async with served.talk() as follows:
        await follows.say("GET", f"/jobs/{job.id}/events")
        await follows.reader.readuntil(b"event: job")
        assert served.server._server is not None
        tasks = set(served.server._server.server_state.tasks)
        assert len(world.client.watcher) == 1
    await asyncio.wait(tasks)
    assert len(world.client.watcher) == 0


# -- addresses ---------------------------------------------------------------------------------------


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


async def test_a_child_that_outlives_the_server_does_not_keep_its_port(served: Served) -> None:
    hear, tell = os.pipe()
    ready, begun = os.pipe()
    child = os.fork()
    if not child:
        os.close(tell)
        os.write(begun, b"!")
        os.read(hear, 1)  # until the test is over
        os._exit(0)
    os.close(hear)
    try:
        os.read(ready, 1)  # a child that has not begun to run still holds everything
        await served.server.stop(PATIENCE)
        again = HttpServer(served.world.api, "127.0.0.1", served.port)
        await again.bind()
        await again.unbind()
    finally:
        for end in (tell, ready, begun):
            os.close(end)
        os.waitpid(child, 0)  # noqa: ASYNC222 - it ends at once


async def test_a_port_in_use_is_named_with_what_to_do(world: World, taken: int) -> None:
    with pytest.raises(PortInUse) as caught:
        await HttpServer(world.api, "127.0.0.1", taken).start()
    assert f"127.0.0.1:{taken}" in caught.value.what
    assert "Another process" in caught.value.why
    assert "PORT" in caught.value.hint


async def test_an_address_of_another_machine_is_named(world: World) -> None:
    for host in ("192.0.2.1", "x" * 64):
        with pytest.raises(PortInUse) as caught:
            await HttpServer(world.api, host, 8080).start()
        assert f"{host}:8080" in caught.value.what
        assert caught.value.why
        assert "HOST" in caught.value.hint


async def test_ipv6_stands_in_brackets(world: World) -> None:
    server = HttpServer(world.api, "::1", 0)
    try:
        url = await server.start()
    except PortInUse:
        pytest.skip("no IPv6 here")
    await server.stop(PATIENCE)
    assert url.startswith("http://[::1]:")
