"""One write per answer, however many pieces uvicorn writes it in."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from ferryman.http.connection import Corked

pytestmark = pytest.mark.anyio


class Transport:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def close(self) -> None:
        self.said.append("close")

    def is_closing(self) -> bool:
        return "close" in self.said


def corked() -> tuple[Any, Transport]:
    transport = Transport()
    return Corked(cast("asyncio.Transport", transport), asyncio.get_running_loop()), transport


async def a_turn() -> None:
    """Everything that is ready now has run."""
    turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turned.set_result, None)
    await turned


async def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    cork, transport = corked()
    cork.write(b"head ")
    cork.write(b"body")
    assert transport.said == []
    await a_turn()
    assert transport.said == [b"head body"]
    cork.write(b"next")
    await a_turn()
    assert transport.said == [b"head body", b"next"]


async def test_closing_sends_first_and_the_rest_is_the_transports() -> None:
    cork, transport = corked()
    cork.write(b"bye")
    assert not cork.is_closing()
    cork.close()
    assert cork.is_closing()
    await a_turn()
    assert transport.said == [b"bye", "close"]
