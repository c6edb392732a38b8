"""A TCP proxy that lets every request through and loses a part of the answers.

An answer is what the server says first after something was said to it; so it holds for HTTP without pipelining, which
is what clients speak. Each answer has a fate, drawn when it comes: the server has then done what it was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"
LATE_SHARE: Final = 0.05
LATE_MOST: Final = 0.05
"""Seconds for which an answer is held back at most."""
_PIECE: Final = 65536


class Fate(StrEnum):
    """What becomes of an answer."""

    PASSED = "passed"
    LATE = "late"
    LOST = "lost"
    """The connection is cut before anything of it was passed on."""
    HALVED = "halved"
    """It is cut in the middle of it."""


DROPPED: Final = (Fate.LOST, Fate.HALVED)


class LossyProxy:
    """Stands in front of a server on this machine, on the loop that enters it."""

    def __init__(self, port: int, drop: float, dice: random.Random) -> None:
        """`drop` is the share of the answers to the server at `port` that are lost."""
        self._port = port
        self._drop = drop
        self._dice = dice
        self._listener: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self.fates: Counter[Fate] = Counter()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._listener is not None
        return f"http://{HOST}:{self._listener.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._meet, HOST, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def draw(self) -> Fate:
        """The fate of the next answer."""
        if self._dice.random() < self._drop:
            return self._dice.choice(DROPPED)
        return Fate.LATE if self._dice.random() < LATE_SHARE else Fate.PASSED

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            there, back = await asyncio.open_connection(HOST, self._port)
            try:
                await self._carry(reader, writer, there, back)
            finally:
                for each in (writer, back):
                    self._end(each)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        """Carry both ways until one side has ended, or an answer is lost."""
        asked = asyncio.Event()

        async def forth() -> None:
            while data := await reader.read(_PIECE):
                asked.set()
                back.write(data)
                await back.drain()

        async def answer() -> None:
            while data := await there.read(_PIECE):
                fate = self._fate_of(asked)
                if fate is Fate.LATE:
                    await asyncio.sleep(self._dice.uniform(0, LATE_MOST))
                if fate is not Fate.LOST:
                    writer.write(data[: len(data) // 2] if fate is Fate.HALVED else data)
                    await writer.drain()
                if fate in DROPPED:
                    return

        ways = [asyncio.ensure_future(forth()), asyncio.ensure_future(answer())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _fate_of(self, asked: asyncio.Event) -> Fate | None:
        """The fate of an answer that begins; None for what follows its first piece."""
        if not asked.is_set():
            return None
        asked.clear()
        fate = self.draw()
        self.fates[fate] += 1
        return fate

    def _end(self, writer: asyncio.StreamWriter) -> None:
        """Close in order, or as a machine does that has gone."""
        if self._dice.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()
