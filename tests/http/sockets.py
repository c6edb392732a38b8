"""The server on a real socket, and keep-alive connections to it that are spoken by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from ferryman.domain.job import Job
from ferryman.http.server import HttpServer
from tests.http.world import World

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
    """A server over a world, whose client waits at a gate before it gives a job."""

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
