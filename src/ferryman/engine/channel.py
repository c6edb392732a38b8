"""The bounded buffer in a node that all its workers receive from.

Everything happens on one event loop between two awaits, so it needs no lock. An item goes straight to a
waiting receiver, in the order in which they came; only what nobody waits for is buffered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_NEVER: Final = -1


class ChannelClosed(Exception):
    """Nothing more can be sent, and everything that was sent has been received or given back."""


class ChannelFull(Exception):
    """`send_nowait` found neither a waiting receiver nor room."""


class _Sender(Generic[T]):
    """Items that wait for room, in order, and somebody who waits until they are in."""

    __slots__ = ("done", "items")

    def __init__(self, items: deque[T], done: asyncio.Future[None] | None) -> None:
        self.items = items
        self.done = done


class Channel(Generic[T]):
    """Many senders, many receivers, at most `capacity` items between them."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.sent = 0
        """How many items were accepted."""
        self.high_water = 0
        """The most items that were ever buffered."""
        self._items: deque[T] = deque()
        self._receivers: deque[asyncio.Future[T]] = deque()
        self._senders: deque[_Sender[T]] = deque()
        self._waiting = 0
        self._closed = False
        self._mark = _NEVER
        self._on_low: Callable[[], None] = _nothing

    @property
    def length(self) -> int:
        """How many items are buffered."""
        return len(self._items)

    @property
    def waiting(self) -> int:
        """How many items wait for room."""
        return self._waiting

    @property
    def idle(self) -> int:
        """How many receivers wait."""
        return len(self._receivers)

    @property
    def room(self) -> int:
        """How many items could be sent now without waiting."""
        return self.capacity - len(self._items) + len(self._receivers)

    async def send(self, item: T) -> None:
        """Send an item; waits while the channel is full, behind those who wait already.

        A sender that is cancelled while it waits has not sent its item, unless it went in at that moment.

        Raises:
            ChannelClosed: the item was not sent.
        """
        if self._closed:
            raise ChannelClosed
        if self.room <= 0:
            await self._wait_for_room(item)
        else:
            self._put(item)

    def send_all(self, items: Iterable[T]) -> None:
        """Send items in order; those for which there is no room wait in the channel's hands, before later senders.

        Raises:
            ChannelClosed: nothing was sent.
        """
        if self._closed:
            raise ChannelClosed
        self._line_up(_Sender(deque(items), None))
        self._admit()

    def send_nowait(self, item: T) -> None:
        """Send an item if that needs no waiting.

        Raises:
            ChannelClosed, ChannelFull: the item was not sent.
        """
        if self._closed:
            raise ChannelClosed
        if self.room <= 0:
            raise ChannelFull
        self._put(item)

    async def receive(self) -> T:
        """The next item; waits for one.

        Raises:
            ChannelClosed: there is none and will be none.
        """
        if self._items:
            item = self._items.popleft()
            if self._senders:
                self._admit()
            if len(self._items) + self._waiting <= self._mark:
                self._low()
            return item
        if self._closed:
            raise ChannelClosed
        return await self._wait()

    def when_low(self, mark: int, call: Callable[[], None]) -> None:
        """Call once when a receive leaves at most `mark` items, buffered and waiting, or finds none.

        Replaces what was asked before.
        """
        self._mark, self._on_low = mark, call

    def close(self) -> list[T]:
        """Accept nothing more, send everybody away who waits, and give back what nobody has received.

        That includes what waited for room.
        """
        self._closed = True
        left = [*self._items, *(item for sender in self._senders for item in sender.items)]
        for waiter in (*self._receivers, *(sender.done for sender in self._senders)):
            if waiter is not None and not waiter.done():
                waiter.set_exception(ChannelClosed())
        self._items.clear()
        self._receivers.clear()
        self._senders.clear()
        self._waiting = 0
        return left

    async def _wait(self) -> T:
        receiver: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._receivers.append(receiver)
        if self._mark >= 0:
            self._low()
        try:
            return await receiver
        except asyncio.CancelledError:
            if receiver in self._receivers:
                self._receivers.remove(receiver)
            if receiver.done() and not receiver.cancelled() and receiver.exception() is None:
                self._put_back(receiver.result())
            raise

    def _put_back(self, item: T) -> None:
        """An item was handed to a receiver that was cancelled at that moment: it goes to the next one.

        After `close` it waits for another `close`, which gives it back.
        """
        while self._receivers:
            receiver = self._receivers.popleft()
            if not receiver.done():
                receiver.set_result(item)
                return
        self._items.appendleft(item)
        if len(self._items) > self.capacity and not self._closed:
            self._senders.appendleft(_Sender(deque((self._items.pop(),)), None))
            self._waiting += 1

    async def _wait_for_room(self, item: T) -> None:
        sender = _Sender(deque((item,)), asyncio.get_running_loop().create_future())
        self._line_up(sender)
        assert sender.done is not None
        try:
            await sender.done
        except asyncio.CancelledError:
            if sender in self._senders:
                self._senders.remove(sender)
                self._waiting -= 1
            raise

    def _line_up(self, sender: _Sender[T]) -> None:
        self._senders.append(sender)
        self._waiting += len(sender.items)

    def _admit(self) -> None:
        """Let in what waits, as far as there is room."""
        while self._senders and self.room > 0:
            sender = self._senders[0]
            if sender.items:
                self._waiting -= 1
                self._put(sender.items.popleft())
            if not sender.items:
                self._senders.popleft()
                if sender.done is not None and not sender.done.done():
                    sender.done.set_result(None)

    def _put(self, item: T) -> None:
        """Hand an item to who waits longest, or buffer it; there is room."""
        self.sent += 1
        while self._receivers:
            receiver = self._receivers.popleft()
            if not receiver.done():
                receiver.set_result(item)
                return
        self._items.append(item)
        if len(self._items) > self.high_water:
            self.high_water = len(self._items)

    def _low(self) -> None:
        call, self._mark, self._on_low = self._on_low, _NEVER, _nothing
        call()


def _nothing() -> None:
    """Nobody asked to be told."""
