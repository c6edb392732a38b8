"""The channel: bounded, closable, first come first served, and it loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferryman.engine.channel import Channel, ChannelClosed, ChannelFull
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import turns

pytestmark = pytest.mark.anyio


def begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(work)


async def test_items_come_out_in_the_order_in_which_they_went_in() -> None:
    channel: Channel[int] = Channel(3)
    for item in (1, 2, 3):
        await channel.send(item)
    assert [await channel.receive() for _ in range(3)] == [1, 2, 3]


async def test_a_full_channel_makes_sending_wait() -> None:
    channel: Channel[int] = Channel(2)
    channel.send_nowait(1)
    channel.send_nowait(2)
    sending = begin(channel.send(3))
    await turns()
    assert not sending.done()
    assert (channel.length, channel.waiting) == (2, 1)
    assert await channel.receive() == 1
    await sending
    assert (channel.length, channel.waiting, channel.high_water) == (2, 0, 2)


async def test_waiting_senders_go_in_first_come_first_served() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_nowait(0)
    sendings = [begin(channel.send(item)) for item in (1, 2, 3)]
    await turns()
    assert [await channel.receive() for _ in range(4)] == [0, 1, 2, 3]
    await asyncio.gather(*sendings)


async def test_nobody_overtakes_a_waiting_sender() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_all([0, 1, 2])
    with pytest.raises(ChannelFull):
        channel.send_nowait(3)
    late = begin(channel.send(4))
    await turns()
    assert [await channel.receive() for _ in range(4)] == [0, 1, 2, 4]
    await late


async def test_what_does_not_fit_waits_in_the_channels_hands() -> None:
    channel: Channel[int] = Channel(2)
    channel.send_all(range(5))
    assert (channel.length, channel.waiting, channel.room) == (2, 3, 0)
    assert [await channel.receive() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert channel.high_water == 2


async def test_waiting_receivers_are_served_in_order() -> None:
    channel: Channel[int] = Channel(1)
    receivings = [begin(channel.receive()) for _ in range(3)]
    await turns()
    assert (channel.idle, channel.room) == (3, 4)
    channel.send_all([1, 2, 3])
    assert [await each for each in receivings] == [1, 2, 3]
    assert channel.high_water == 0, "what somebody waits for is not buffered"


async def test_send_nowait_refuses_when_full() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_nowait(1)
    with pytest.raises(ChannelFull):
        channel.send_nowait(2)
    assert channel.sent == 1


async def test_close_gives_back_what_nobody_received_and_sends_everybody_away() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_all([1, 2])
    sending = begin(channel.send(3))
    await turns()
    assert channel.close() == [1, 2, 3]
    with pytest.raises(ChannelClosed):
        await sending
    with pytest.raises(ChannelClosed):
        await channel.receive()
    with pytest.raises(ChannelClosed):
        await channel.send(4)
    with pytest.raises(ChannelClosed):
        channel.send_nowait(4)
    with pytest.raises(ChannelClosed):
        channel.send_all([4])
    assert channel.close() == []


async def test_close_wakes_waiting_receivers() -> None:
    channel: Channel[int] = Channel(1)
    receivings = [begin(channel.receive()) for _ in range(2)]
    await turns()
    channel.close()
    for receiving in receivings:
        with pytest.raises(ChannelClosed):
            await receiving


async def test_an_item_given_to_a_receiver_that_is_cancelled_at_that_moment_goes_to_the_next() -> None:
    channel: Channel[int] = Channel(1)
    first, second = begin(channel.receive()), begin(channel.receive())
    await turns()
    channel.send_nowait(1)
    first.cancel()
    assert await second == 1
    assert first.cancelled()


async def test_an_item_given_back_passes_over_receivers_that_are_cancelled_too() -> None:
    channel: Channel[int] = Channel(1)
    first, second, third = (begin(channel.receive()) for _ in range(3))
    await turns()
    channel.send_nowait(1)
    first.cancel()
    second.cancel()
    assert await third == 1
    fourth = begin(channel.receive())
    await turns()
    fourth.cancel()
    channel.send_nowait(2)
    assert channel.close() == [2], "a receiver that is cancelled but has not noticed gets nothing"


async def test_an_item_given_back_to_a_full_channel_keeps_its_place_and_the_bound() -> None:
    channel: Channel[int] = Channel(1)
    receiving = begin(channel.receive())
    await turns()
    channel.send_all([1, 2, 3])
    receiving.cancel()
    await turns()
    assert (channel.length, channel.waiting) == (1, 2)
    assert [await channel.receive() for _ in range(3)] == [1, 2, 3]


async def test_an_item_given_back_after_the_close_comes_with_the_next_close() -> None:
    channel: Channel[int] = Channel(1)
    receiving = begin(channel.receive())
    await turns()
    channel.send_nowait(1)
    receiving.cancel()
    assert channel.close() == []
    await turns()
    assert channel.close() == [1]


async def test_a_cancelled_receiver_leaves_the_line() -> None:
    channel: Channel[int] = Channel(1)
    receiving = begin(channel.receive())
    await turns()
    receiving.cancel()
    await turns()
    assert channel.idle == 0
    channel.send_nowait(1)
    assert channel.length == 1


async def test_a_sender_cancelled_while_it_waits_has_not_sent() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_nowait(1)
    sending = begin(channel.send(2))
    await turns()
    sending.cancel()
    await turns()
    assert channel.waiting == 0
    assert channel.close() == [1]


async def test_low_is_told_once_when_receives_leave_few_items() -> None:
    channel: Channel[int] = Channel(2)
    channel.send_all(range(4))
    told: list[int] = []
    channel.when_low(2, lambda: told.append(channel.length + channel.waiting))
    for _ in range(4):
        await channel.receive()
    assert told == [2]


async def test_low_is_told_when_a_receiver_finds_nothing() -> None:
    channel: Channel[int] = Channel(2)
    told: list[bool] = []
    channel.when_low(0, lambda: told.append(True))
    receiving = begin(channel.receive())
    await turns()
    assert told == [True]
    channel.close()
    with pytest.raises(ChannelClosed):
        await receiving


Op = st.one_of(
    st.just(("send", 0)),
    st.just(("send_nowait", 0)),
    st.tuples(st.just("send_all"), st.integers(0, 5)),
    st.just(("receive", 0)),
    st.tuples(st.just("cancel_sender"), st.integers(0, 9)),
    st.tuples(st.just("cancel_receiver"), st.integers(0, 9)),
    st.just(("turn", 0)),
)


class Play:
    """Random things done to a channel, and where each item went."""

    def __init__(self, capacity: int) -> None:
        self.channel: Channel[int] = Channel(capacity)
        self.handed_in: list[int] = []
        self.senders: dict[int, asyncio.Task[Any]] = {}
        self.receivers: list[asyncio.Task[Any]] = []
        self.received: list[int] = []

    async def receive(self) -> None:
        item = await self.channel.receive()
        self.received.append(item)

    def next_item(self) -> int:
        self.handed_in.append(len(self.handed_in))
        return self.handed_in[-1]

    async def do(self, what: str, which: int) -> None:
        channel = self.channel
        match what:
            case "send":
                item = self.next_item()
                self.senders[item] = begin(channel.send(item))
            case "send_nowait":
                try:
                    channel.send_nowait(len(self.handed_in))
                except ChannelFull:
                    assert channel.length == channel.capacity
                else:
                    self.next_item()
            case "send_all":
                channel.send_all([self.next_item() for _ in range(which)])
            case "receive":
                self.receivers.append(begin(self.receive()))
            case "cancel_sender" if self.senders:
                list(self.senders.values())[which % len(self.senders)].cancel()
            case "cancel_receiver" if self.receivers:
                self.receivers[which % len(self.receivers)].cancel()
            case _:
                await turns(1)


@settings(max_examples=150)
@given(capacity=st.integers(1, 4), ops=st.lists(Op, max_size=40))
def test_whatever_happens_nothing_is_lost_doubled_or_over_the_bound(capacity: int, ops: list[tuple[str, int]]) -> None:
    async def play() -> None:
        game = Play(capacity)
        for what, which in ops:
            await game.do(what, which)
            assert game.channel.length <= capacity
            assert not (game.channel.idle and game.channel.length and not any(r.cancelling() for r in game.receivers))
        await turns()
        assert game.channel.length <= capacity
        given_back = game.channel.close()
        await turns()
        given_back += game.channel.close()
        await asyncio.gather(*game.receivers, *game.senders.values(), return_exceptions=True)
        refused = {item for item, task in game.senders.items() if task.cancelled()}
        found = [*game.received, *given_back]
        assert len(found) == len(set(found)), "nothing comes twice"
        assert set(game.handed_in) - refused <= set(found), "nothing is lost"
        assert set(found) <= set(game.handed_in)

    run_virtual(play())
