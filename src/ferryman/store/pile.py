"""Group writes without a timer: while one group is being written, the next one piles up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Pile(Generic[Item, Answer]):
    """Writes whatever has piled up while the last write was in flight.

    Idle latency is one write; under load the groups grow by themselves, up to `cap`. One write at a
    time; items keep their order. Everything here runs on one event loop.
    """

    def __init__(self, write: Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]], cap: int) -> None:
        """`write` answers one entry per item; an exception as an entry fails that item alone."""
        self._write = write
        self._cap = cap
        self._waiting: deque[tuple[Item, asyncio.Future[Answer] | None]] = deque()
        self._writing: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, item: Item) -> asyncio.Future[Answer]:
        """Add an item; the future gives its answer. Cancelling the future does not take the item back."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._put(item, answer)
        return answer

    def add(self, item: Item) -> None:
        """Add an item whose answer nobody waits for; `write` has to see to its errors."""
        self._put(item, None)

    async def flush(self) -> None:
        """Wait until everything submitted so far has been answered."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    def _put(self, item: Item, answer: asyncio.Future[Answer] | None) -> None:
        self._waiting.append((item, answer))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                count = min(self._cap, len(self._waiting))
                await self._write_group([self._waiting.popleft() for _ in range(count)])
        finally:
            self._writing = None

    async def _write_group(self, group: list[tuple[Item, asyncio.Future[Answer] | None]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._write([item for item, _ in group])
        except Exception as error:
            answers = [error] * len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if future is None or future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
