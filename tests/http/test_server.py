"""The server on real sockets: start, keep-alive, stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from ferryman.client import JobRequest
from ferryman.domain.errors import PortInUse
from ferryman.domain.job import Job
from ferryman.http.server import HttpServer
from tests.http.world import MAX_BODY, World

pytestmark = pytest.mark.anyio

PATIENCE = 20.0
"""Seconds of grace that no test here ever uses up."""


class GatedClient:
    """Gives jobs only once the gate is open."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()

    async def get(self, id: str) -> Job:
        self.entered.set()
        await self.gate.wait()
        return await self.world.client.get(id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.client, name)


class Talk:
    """One keep-alive connection, spoken by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, method: str, path: str, body: bytes = b"", headers: str = "") -> None:
        if body:
            headers += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        await self.send(f"{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n".encode() + body)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        if headers.get("transfer-encoding") == "chunked":
            return int(head[0].split()[1]), headers, await self._chunks()
        return int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> tuple[int, Any]:
        await self.say(method, path, body, headers)
        status, _, answer = await self.hear()
        return status, json.loads(answer)

    async def is_closed(self) -> bool:
        return await self.reader.read() == b""


class Served:
    def __init__(self, world: World) -> None:
        self.world = world
        self.client = GatedClient(world)
        self.server = HttpServer(world.over(self.client), "127.0.0.1", 0)  # type: ignore[arg-type]
        self.port = 0

    async def start(self) -> None:
        self.port = urlsplit(await self.server.start()).port or 0

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[Talk]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Talk(reader, writer)
        finally:
            writer.close()


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    served = Served(world)
    await served.start()
    yield served
    served.client.gate.set()
    await served.server.stop(PATIENCE)


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


# -- imports -----------------------------------------------------------------------------------------

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


# -- stop --------------------------------------------------------------------------------------------


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
