"""Many who listen to all jobs: one read per interval, whoever fails, lags, comes or goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, cast

import pytest

from ferryman.client import Client
from ferryman.client.listening import ALL, Heard, Listening, Start, Wanted
from ferryman.client.watching import INTERVAL
from ferryman.domain.errors import StoreBusy, StoreClosed
from ferryman.domain.state import Status
from ferryman.store.journaling import KEPT, PAGE, Position
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.client.world import DONE, World, send

PATIENCE = 15.0


def looks(world: World) -> int:
    return world.store.verbs.count("journal")


class Listener:
    """Somebody who listens, and remembers what they have heard."""

    def __init__(self, listening: Listening, wanted: Wanted = ALL) -> None:
        self.listening = listening
        self.wanted = wanted
        self.heard: list[Heard] = []
        self.may_read = asyncio.Event()
        self.may_read.set()

    async def listen(self, start: Start) -> None:
        async with aclosing(self.listening.follow(start, self.wanted, PATIENCE)) as news:
            async for heard in news:
                self.heard.append(heard)
                await self.may_read.wait()

    async def begin(self, seen: str | None = None) -> asyncio.Task[None]:
        return asyncio.ensure_future(self.listen(await self.listening.begin(seen)))

    @property
    def ids(self) -> list[str]:
        return [each.id for heard in self.heard for each in heard.changes]

    @property
    def gaps(self) -> int:
        return sum(heard.gap for heard in self.heard)


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def enqueue(world: World, count: int = 1, **options: Any) -> list[str]:
    return [(await world.client.enqueue(send(**options))).id for _ in range(count)]


@pytest.mark.parametrize("count", [1, 200])
def test_any_number_of_listeners_cost_one_read_per_interval(count: int) -> None:
    async def main() -> None:
        world = World()
        listeners = [Listener(world.client.listening) for _ in range(count)]
        tasks = [await each.begin() for each in listeners]
        await pass_time(1)
        begun = looks(world)
        ids = await enqueue(world, 3)
        await pass_time(10)
        assert looks(world) - begun == pytest.approx(10 / INTERVAL, abs=1)
        assert all(each.ids == ids for each in listeners)
        await end(*tasks)

    virtual.run(main())


def test_nothing_is_read_while_nobody_listens() -> None:
    async def main() -> None:
        world = World()
        await pass_time(10)
        assert looks(world) == 0
        task = await Listener(world.client.listening).begin()
        await pass_time(1)
        assert len(world.client.listening) == 1
        await end(task)
        reads = looks(world)
        await pass_time(10)
        assert (looks(world), len(world.client.listening)) == (reads, 0)

    virtual.run(main())


def test_each_hears_what_it_wants() -> None:
    async def main() -> None:
        world = World()
        wanted = {
            "mail": Wanted(queues=frozenset({"mail"})),
            "like": Wanted(types=frozenset({"x*", "s*d"})),
            "ended": Wanted(statuses=frozenset({Status.COMPLETED})),
            "none": Wanted(queues=frozenset({"mail"}), types=frozenset({"x*"})),
        }
        listeners = {name: Listener(world.client.listening, each) for name, each in wanted.items()}
        tasks = [await each.begin() for each in listeners.values()]
        [one] = await enqueue(world)
        [two] = await enqueue(world, queue="other")
        node = await world.node("send")
        await world.end(node, await world.claim(node), DONE)
        await pass_time(1)
        assert {name: each.ids for name, each in listeners.items()} == {
            "mail": [one, one],
            "like": [one, two, one],
            "ended": [one],
            "none": [],
        }
        await end(*tasks)

    virtual.run(main())


def test_who_hears_nothing_for_a_while_is_told_so_and_where_it_stands() -> None:
    async def main() -> None:
        world = World()
        listener = Listener(world.client.listening, Wanted(queues=frozenset({"nobody"})))
        task = await listener.begin()
        for _ in range(4):
            await pass_time(PATIENCE / 2)
            await enqueue(world)
        await pass_time(PATIENCE + 1)
        assert [list(each.changes) for each in listener.heard] == [[]] * 4
        places = [each.place for each in listener.heard]
        assert places == sorted(places)
        assert places[0] < places[1] < places[2]
        await end(task)

    virtual.run(main())


def test_who_comes_again_hears_what_it_has_missed_and_nothing_twice() -> None:
    async def main() -> None:
        world = World()
        first = Listener(world.client.listening)
        task = await first.begin()
        await enqueue(world, 5)
        await pass_time(1)
        last = [each for heard in first.heard for each in heard.changes][2]
        await end(task)
        missed = await enqueue(world, 2)
        again = Listener(world.client.listening)
        task = await again.begin(last.position.tag)
        later = await enqueue(world, 2)
        await pass_time(1)
        assert again.ids == [*first.ids[3:], *missed, *later]
        assert again.gaps == 0
        await end(task)

    virtual.run(main())


@pytest.mark.parametrize("seen", ["nonsense", "1-2-3", "0-0-0-0", "9-9-9-9", "\u0661-1-1-1", "1" * 300])
def test_who_comes_from_a_place_that_is_not_known_hears_of_a_gap_and_goes_on(seen: str) -> None:
    async def main() -> None:
        world = World()
        listener = Listener(world.client.listening)
        await enqueue(world)
        task = await listener.begin(seen)
        ids = await enqueue(world)
        await pass_time(1)
        assert (listener.gaps, listener.heard[0].gap, listener.ids) == (1, True, ids)
        await end(task)

    virtual.run(main())


def test_who_is_slow_goes_on_from_where_it_was_and_keeps_nothing_in_memory() -> None:
    async def main() -> None:
        world = World()
        listening = Listening(cast("Any", world.store), world.clock, room=10)
        slow, quick = Listener(listening), Listener(listening)
        tasks = [await slow.begin(), await quick.begin()]
        await pass_time(1)
        slow.may_read.clear()
        ids: list[str] = []
        for _ in range(10):
            ids += await enqueue(world, 7)
            await pass_time(1)
            assert len(listening._changes) <= 20
        assert quick.ids == ids
        assert len(slow.ids) == 7
        slow.may_read.set()
        await pass_time(1)
        assert slow.ids == ids
        assert slow.gaps == 0
        await end(*tasks)

    virtual.run(main())


def test_who_is_slower_than_the_journal_is_long_hears_of_a_gap() -> None:
    async def main() -> None:
        world = World()
        listening = Listening(cast("Any", world.store), world.clock, room=10)
        slow, quick = Listener(listening), Listener(listening)
        tasks = [await slow.begin(), await quick.begin()]
        await pass_time(1)
        slow.may_read.clear()
        for _ in range(5):
            await enqueue(world, 7)
            await pass_time(1)
            world.clock.advance(KEPT / 2_000_000)
            await world.store.prune(world.clock.now(), 1000)
        slow.may_read.set()
        await pass_time(1)
        [late] = await enqueue(world)
        await pass_time(1)
        assert slow.gaps == 1
        assert slow.ids == [*quick.ids[:7], late]
        assert quick.gaps == 0
        await end(*tasks)

    virtual.run(main())


def test_much_at_once_comes_in_pages() -> None:
    async def main() -> None:
        world = World()
        listener = Listener(world.client.listening)
        task = await listener.begin()
        await pass_time(1)
        await world.client.enqueue_many(send() for _ in range(2 * PAGE + 5))
        await pass_time(1)
        assert len(listener.ids) == len(set(listener.ids)) == 2 * PAGE + 5
        assert max(len(each.changes) for each in listener.heard) <= PAGE
        await end(task)

    virtual.run(main())


def test_a_store_that_fails_is_asked_again_and_nothing_is_missed() -> None:
    async def main() -> None:
        world = World()
        listener = Listener(world.client.listening)
        task = await listener.begin()
        await pass_time(1)
        world.store.before["journal"] += [StoreBusy("busy")] * 3
        ids = await enqueue(world, 2)
        await pass_time(2)
        assert listener.ids == ids
        await end(task)

    virtual.run(main())


def test_a_store_that_fails_at_the_beginning_is_an_error() -> None:
    async def main() -> None:
        world = World()
        world.store.before["journal"] = [StoreBusy("busy")]
        with pytest.raises(StoreBusy):
            await Listener(world.client.listening).begin()

    virtual.run(main())


def test_the_end_of_the_store_ends_all_who_listen() -> None:
    async def main() -> None:
        world = World()
        tasks = [await Listener(world.client.listening).begin() for _ in range(3)]
        await pass_time(1)
        world.store.before["journal"] = [StoreClosed("closed")]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in found] == [StoreClosed] * 3
        await world.client.close()

    virtual.run(main())


def test_who_comes_while_the_last_look_of_others_is_under_way_hears_all() -> None:
    async def main() -> None:
        world = World()
        first, second = Listener(world.client.listening), Listener(world.client.listening)
        task = await first.begin()
        await pass_time(1)
        gate, real = asyncio.Event(), world.store.store.journal

        async def slowly(after: Position | None, now: int, limit: int = PAGE) -> Any:
            told = await real(after, now, limit)
            await gate.wait()
            return told

        world.store.store.journal = slowly  # type: ignore[method-assign]
        await pass_time(INTERVAL)
        world.store.store.journal = real  # type: ignore[method-assign]
        await end(task)
        task = await second.begin()
        ids = await enqueue(world)
        await pass_time(1)
        gate.set()
        await pass_time(1)
        assert second.ids == ids
        closing = asyncio.ensure_future(world.client.close())
        await end(task)
        await closing

    virtual.run(main())


def test_the_close_of_a_client_waits_for_the_look_under_way() -> None:
    async def main() -> None:
        world = World()
        task = await Listener(world.client.listening).begin()
        await pass_time(1)
        gate, real = asyncio.Event(), world.store.store.journal

        async def slowly(after: Position | None, now: int, limit: int = PAGE) -> Any:
            await gate.wait()
            return await real(after, now, limit)

        world.store.store.journal = slowly  # type: ignore[method-assign]
        await pass_time(INTERVAL)
        await end(task)
        closing = asyncio.ensure_future(world.client.close())
        await pass_time(1)
        assert not closing.done()
        gate.set()
        await closing

    virtual.run(main())


def test_a_client_tells_what_happens() -> None:
    async def main() -> None:
        world = World()
        client: Client = world.client
        news = client.events()
        first = await anext(news)
        ids = await enqueue(world)
        heard = await anext(news)
        assert [each.id for each in heard.changes] == ids
        missed = await enqueue(world)
        await news.aclose()
        async with aclosing(client.events(seen=heard.place.tag)) as again:
            found: Sequence[str] = []
            while not found:
                found = [each.id for each in (await anext(again)).changes]
        assert found == missed
        assert first.changes == []

    virtual.run(main())
