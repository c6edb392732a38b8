"""Lines to a server that do what a test says, and a time that only passes where somebody sleeps."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import httpx2
import msgspec

from ferryman.client import Catalogue
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.patience import Patience
from tests.http.world import MAX_BODY

URL = "http://queue.test"
KEY = "open-sesame"


class Times:
    """A clock and the pauses on it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Scripted(httpx2.AsyncBaseTransport):
    """Answers each request with the next of a list; an exception is raised."""

    def __init__(self, *script: httpx2.Response | Exception, times: Times | None = None, takes: float = 0.0) -> None:
        self.script = list(script)
        self.seen: list[httpx2.Request] = []
        self._times = times
        self._takes = takes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.seen.append(request)
        if self._times is not None:
            self._times.now += self._takes
        then = self.script.pop(0)
        if isinstance(then, Exception):
            raise then
        return then


class Impatient(httpx2.ASGITransport):
    """As a server that does not know how to hold an answer back."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers.pop("prefer", None)
        return await super().handle_async_request(request)


class Lossy(httpx2.AsyncBaseTransport):
    """Has every request carried out, and then drops the answers that `drops` says."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, drops: Iterable[bool]) -> None:
        self._inner = inner
        self._drops = iter(drops)
        self.dropped = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        await answer.aread()
        if next(self._drops, False):
            self.dropped += 1
            raise httpx2.ReadError("The answer was lost.")
        return answer


def problem(status: int, code: str, headers: dict[str, str] | None = None, **members: Any) -> httpx2.Response:
    told = {"code": code, "status": status, "detail": "What happened.", "hint": "What to do.", **members}
    return httpx2.Response(
        status,
        headers={"content-type": "application/problem+json", **(headers or {})},
        content=msgspec.json.encode(told),
    )


def client_over(
    transport: httpx2.AsyncBaseTransport,
    times: Times,
    *,
    url: str = URL,
    patience: Patience | None = None,
    catalogue: Catalogue | None = None,
    max_body: int = MAX_BODY,
    api_key: str = KEY,
) -> RemoteClient:
    """A client whose pauses take no time; its dice are always the same."""
    way = Connection(
        url,
        api_key=api_key,
        patience=patience,
        transport=transport,
        monotonic=times.monotonic,
        sleep=times.sleep,
        dice=random.Random(1),
    )
    return RemoteClient(way, catalogue=catalogue, max_body=max_body)
