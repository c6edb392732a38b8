"""Clients that take too long or too much, on real sockets; time is told to the connections, not waited for."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ferryman.domain.errors import BadSetting
from ferryman.http import exchange
from ferryman.http.bounds import Bounds
from ferryman.http.connection import Connection
from ferryman.http.server import HttpServer
from ferryman.http.tls import Tls
from tests.http.world import World

pytestmark = pytest.mark.anyio

BOUNDS = Bounds(connections=3, head_size=1000)
HEALTH = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n"
CERTIFICATE = Path(__file__).with_name("certificate.pem")
LATER = 1000.0
"""Seconds after which every patience has ended."""


class Door:
    """A server with narrow bounds, and clients of it."""

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self.port = urlsplit(await self.server.start()).port or 0

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def knock(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection that has sent so much, once the server has read it."""
        before = set(self.connections())
        reader, writer = await self.open()
        while not (new := set(self.connections()) - before):
            await a_turn()
        [self.connection] = new
        if data:
            heard = self.connection._heard_at
            writer.write(data)
            while self.connection._heard_at == heard:
                await a_turn()
        return reader, writer

    def connections(self) -> list[Connection]:
        assert self.server._server is not None
        return [each for each in self.server._server.server_state.connections if isinstance(each, Connection)]

    def look(self, later: float) -> None:
        """As the server looks at the last connection once so many seconds have passed."""
        self.connection.look(asyncio.get_running_loop().time() + later)


async def a_turn() -> None:
    """The loop has looked at its sockets once more."""
    turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turned.set_result, None)
    await turned


@pytest.fixture
async def door(world: World) -> AsyncIterator[Door]:
    door = Door(HttpServer(world.api, "127.0.0.1", 0, bounds=BOUNDS))
    await door.start()
    yield door
    for writer in door.writers:
        writer.close()
    await door.server.stop(20.0)


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    """The one answer on a connection that the server then closes."""
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert head.count(b"\r\ncontent-length: ") == 1
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 1000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 1000,
        b"GET /" + b"x" * 1000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 500,
    ],
    ids=["a whole head", "no end in sight", "a long path", "many headers"],
)
async def test_a_head_that_is_too_long_is_refused(door: Door, head: bytes) -> None:
    reader, _writer = await door.knock(head)
    status, told = await answer(reader)
    assert (status, told["code"]) == (431, "FM431")


async def test_a_head_in_many_small_pieces_is_counted_together(door: Door) -> None:
    reader, writer = await door.knock(b"GET /health HTTP/1.1\r\nhost: x\r\nlong: ")
    while not door.connection.transport.is_closing():
        writer.write(b"x" * 100)
        await a_turn()
    assert (await answer(reader))[0] == 431


async def test_heads_of_one_connection_are_counted_apart(door: Door) -> None:
    reader, writer = await door.knock()
    for _ in range(3):
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 600 + b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readexactly(15)


async def test_a_head_that_begins_behind_a_long_body_is_counted_from_its_own_first_byte(door: Door) -> None:
    body = b'{"type":"echo","payload":{"text":"' + b"x" * 2 * BOUNDS.head_size + b'"}}'
    head = b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    reader, writer = await door.knock(head + body + HEALTH[:20])
    assert (await reader.readuntil(b"\r\n")).split()[1] == b"201"
    writer.write(HEALTH[20:])
    await reader.readuntil(b'{"status":"ok"}')


async def test_a_head_that_begins_behind_a_body_is_bounded_too(door: Door) -> None:
    reader, writer = await door.knock(POST + b" " * 20 + b"GET /health HTTP/1.1\r\nhost: x\r\nlong: ")
    while not door.connection.transport.is_closing():
        writer.write(b"x" * 100)
        await a_turn()
    assert b"FM431" in await reader.read()


async def test_clients_are_looked_at_though_the_clock_on_the_wall_goes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uvicorn.server.time.time", iter(range(10**9, 0, -3600)).__next__)
    looked = asyncio.Event()
    monkeypatch.setattr(Connection, "look", lambda *_: looked.set())
    server = HttpServer(world.api, "127.0.0.1", 0)
    port = urlsplit(await server.start()).port
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        await looked.wait()
        looked.clear()
    writer.close()
    await server.stop(20.0)


async def test_a_head_that_does_not_end_in_time_is_told_408(door: Door) -> None:
    reader, _writer = await door.knock(b"GET /health HTTP/1.1\r\nhos")
    door.look(BOUNDS.head_time - 1)
    assert not door.connection.transport.is_closing()
    door.look(LATER)
    status, told = await answer(reader)
    assert (status, told["code"]) == (408, "FM408")


async def test_a_connection_that_never_asks_is_closed(door: Door) -> None:
    reader, _writer = await door.knock()
    door.look(BOUNDS.silence - 1)
    assert not door.connection.transport.is_closing()
    door.look(LATER)
    assert await reader.read() == b""


async def test_a_body_that_does_not_come_ends_the_connection(door: Door) -> None:
    reader, _writer = await door.knock(POST + b'{"type":')
    door.look(BOUNDS.silence - 1)
    assert not door.connection.transport.is_closing()
    door.look(LATER)
    await door.connection.ended
    assert await reader.read() == b"", "there is nobody to answer"


async def test_a_body_that_comes_too_slowly_is_told_408(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_TIME", 0.0)
    reader, _writer = await door.knock(POST + b'{"type":')
    status = (await reader.readuntil(b"\r\n")).split()[1]
    assert status == b"408"


async def test_a_client_that_has_its_answer_may_stay(door: Door) -> None:
    reader, writer = await door.knock(HEALTH)
    await reader.readuntil(b'{"status":"ok"}')
    door.look(LATER)
    writer.write(HEALTH)
    await reader.readuntil(b'{"status":"ok"}')


async def test_a_client_that_does_not_read_is_cut_off(door: Door) -> None:
    _reader, _writer = await door.knock(HEALTH)
    door.connection.pause_writing()
    door.look(BOUNDS.unread - 1)
    assert not door.connection.ended.done()
    door.connection.resume_writing()
    door.look(LATER)
    assert not door.connection.transport.is_closing()
    door.connection.pause_writing()
    door.look(LATER)
    await door.connection.ended


async def test_one_connection_too_many_is_told_503(door: Door) -> None:
    kept = [await door.knock() for _ in range(BOUNDS.connections)]
    reader, _ = await door.open()
    status, told = await answer(reader)
    assert (status, told["code"]) == (503, "FM451")
    kept[0][1].close()
    while len(door.connections()) == BOUNDS.connections:
        await a_turn()
    reader, _writer = await door.knock(HEALTH)
    await reader.readuntil(b'{"status":"ok"}')


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
        b"POST /jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding : chunked\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-length: +2\r\n\r\n{}",
        b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
        b"GET /health HTTP/1.1\r\nhost: x\r\nbad\x00name: 1\r\n\r\n",
        b"GET /health HTTP/1.1\nhost: x\n\n",
    ],
    ids=[
        "no host", "two hosts", "two lengths of two kinds", "two lengths", "an unknown coding",
        "a blank before the colon", "a length with a sign", "a length beyond all numbers", "NUL in a name",
        "bare line feeds",
    ],
)  # fmt: skip
async def test_what_two_readers_could_take_for_two_things_is_refused(door: Door, head: bytes) -> None:
    reader, _writer = await door.knock(head)
    status, told = await answer(reader)
    assert (status, told["code"]) == (400, "FM402")


async def test_http_1_0_needs_no_host(door: Door) -> None:
    reader, _writer = await door.knock(b"GET /health HTTP/1.0\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200")


@asynccontextmanager
async def secured(world: World, tls: Tls) -> AsyncIterator[str]:
    server = HttpServer(world.api, "127.0.0.1", 0, tls=tls)
    yield await server.start()
    await server.stop(20.0)


async def test_with_a_certificate_it_speaks_https(world: World) -> None:
    async with secured(world, Tls(str(CERTIFICATE))) as url:
        assert url.startswith("https://")
        trusting = ssl.create_default_context(cafile=CERTIFICATE)
        port = urlsplit(url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
        writer.write(HEALTH)
        await reader.readuntil(b'{"status":"ok"}')
        writer.close()


@pytest.mark.parametrize(
    ("certificate", "why"),
    [("missing.pem", "No such file"), ("noise.pem", "OpenSSL says"), ("encrypted.pem", "The key is encrypted.")],
)
async def test_a_certificate_that_cannot_be_used_is_named(
    world: World, tmp_path: Path, certificate: str, why: str
) -> None:
    (tmp_path / "noise.pem").write_text("noise", "utf-8")
    (tmp_path / "encrypted.pem").write_text(CERTIFICATE.with_name("encrypted.pem").read_text("utf-8"), "utf-8")
    with pytest.raises(BadSetting, match=why) as raised:
        async with secured(world, Tls(str(tmp_path / certificate))):
            pass
    assert certificate in raised.value.what
