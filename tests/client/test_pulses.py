"""Many who look at the numbers: one read per interval, and news only where there is any."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from ferryman.client.pulses import INTERVAL, NODES_INTERVAL, Pulse, Pulses, pulse_of
from ferryman.domain.errors import StoreBusy, StoreClosed
from ferryman.domain.state import Status
from ferryman.store.counting import Counts, Tallied
from ferryman.store.protocol import NodeInfo
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.client.world import World, send

MAIL = frozenset({"mail"})


def looks(world: World) -> int:
    return world.store.verbs.count("counts")


class Viewer:
    """Somebody who looks, and remembers what they were told."""

    def __init__(self, pulses: Pulses, queues: frozenset[str] | None = None, patience: float = 15.0) -> None:
        self.pulses = pulses
        self.queues = queues
        self.patience = patience
        self.told: list[Pulse | None] = []
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.task = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        async with aclosing(self.pulses.follow(self.queues, patience=self.patience)) as pulses:
            async for pulse in pulses:
                self.told.append(pulse)
                await self.may_read.wait()

    @property
    def created(self) -> list[int]:
        return [each.counts.totals["created"] for each in self.told if each is not None]


async def end(viewers: Sequence[Viewer]) -> None:
    for each in viewers:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in viewers), return_exceptions=True)


@pytest.mark.parametrize("count", [1, 200])
def test_any_number_of_viewers_cost_one_read_per_interval(count: int) -> None:
    async def main() -> None:
        world = World()
        viewers = [Viewer(world.client.pulses) for _ in range(count)]
        await pass_time(1)
        begun = looks(world)
        await world.client.enqueue(send())
        await pass_time(10)
        assert looks(world) - begun == pytest.approx(10 / INTERVAL, abs=1)
        assert all(each.created == [0, 1] for each in viewers)
        assert len({id(each.told[-1]) for each in viewers}) == 1
        await end(viewers)

    virtual.run(main())


def test_nothing_is_read_while_nobody_looks() -> None:
    async def main() -> None:
        world = World()
        await pass_time(10)
        assert looks(world) == 0
        viewer = Viewer(world.client.pulses)
        await pass_time(1)
        await end([viewer])
        before = looks(world)
        await pass_time(10)
        assert looks(world) == before > 0

    virtual.run(main())


def test_there_are_at_most_four_pulses_a_second_whatever_happens() -> None:
    async def main() -> None:
        world = World()
        viewer = Viewer(world.client.pulses)
        for _ in range(100):
            await world.client.enqueue(send())
            await pass_time(0.02)
        assert 7 <= len(viewer.told) <= 9
        await end([viewer])

    virtual.run(main())


def test_a_slow_viewer_is_told_the_newest_alone() -> None:
    async def main() -> None:
        world = World()
        viewer = Viewer(world.client.pulses)
        await pass_time(1)
        viewer.may_read.clear()
        for _ in range(3):
            await world.client.enqueue(send())
            await pass_time(1)
        viewer.may_read.set()
        await pass_time(1)
        assert viewer.created == [0, 1, 3]
        await end([viewer])

    virtual.run(main())


def test_what_happens_elsewhere_is_no_news() -> None:
    async def main() -> None:
        world = World()
        viewer = Viewer(world.client.pulses, MAIL, patience=4.0)
        await pass_time(1)
        await world.client.enqueue(send(queue="other"))
        await pass_time(1)
        assert viewer.created == [0]
        await pass_time(4)
        assert viewer.told[1:] == [None]
        await world.client.enqueue(send(queue="mail"))
        await pass_time(1)
        assert viewer.created == [0, 1]
        await end([viewer])

    virtual.run(main())


def test_who_comes_later_is_told_at_once_how_it_is_by_now() -> None:
    async def main() -> None:
        world = World()
        first = Viewer(world.client.pulses)
        await world.client.enqueue(send())
        await pass_time(1)
        world.clock.advance(60)
        await pass_time(INTERVAL * 1.5)
        second = Viewer(world.client.pulses)
        await pass_time(0)
        pulse = second.told[0]
        assert pulse is not None
        assert pulse.at == world.clock.now()
        assert len(first.told) == 1, "that it waits for longer is no news"
        await end([first, second])

    virtual.run(main())


def test_nodes_are_counted_now_and_then() -> None:
    async def main() -> None:
        world = World()
        viewer = Viewer(world.client.pulses)
        await pass_time(1)
        assert world.store.verbs.count("nodes") == 1
        node = NodeInfo("n", "host", 1, "0", frozenset(), None, 1)
        await world.store.register(node, world.clock.now())
        world.clock.advance(NODES_INTERVAL)
        await pass_time(1)
        assert world.store.verbs.count("nodes") == 2
        assert [each.nodes for each in viewer.told if each] == [0, 1]
        await end([viewer])

    virtual.run(main())


def test_a_store_that_fails_is_asked_again_and_one_that_is_closed_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        world = World()
        errors: list[Exception] = [StoreBusy("busy"), StoreBusy("busy")]
        counts = world.store.counts

        async def failing(now: int) -> Counts:
            if errors:
                raise errors.pop(0)
            found: Counts = await counts(now)
            return found

        monkeypatch.setattr(world.store, "counts", failing)
        viewer = Viewer(world.client.pulses)
        await pass_time(1)
        assert viewer.created == [0]
        errors.append(StoreClosed("closed"))
        with pytest.raises(StoreClosed):
            await viewer.task
        late = Viewer(world.client.pulses)
        with pytest.raises(StoreClosed):
            await late.task

    virtual.run(main())


def test_a_tag_is_of_the_content_whoever_tells_it() -> None:
    done = {("q", "t"): Tallied({Status.COMPLETED: 1}, {"created": 2, "completed": 1})}
    pulse = pulse_of(10, Counts(done, {"q": 4}), 1)
    assert pulse_of(12, Counts(dict(done), {"q": 6}), 1).tag == pulse.tag
    assert pulse_of(12, Counts(done, {"q": 4}), 1).tag != pulse.tag
    assert pulse_of(10, Counts(done, {"q": 4}), 2).tag != pulse.tag
    assert pulse_of(10, Counts({("p", "t"): done["q", "t"]}, {"q": 4}), 1).tag != pulse.tag
    assert pulse_of(10, Counts({("q", "t"): Tallied({}, {})}, {"q": 4}), 1).tag != pulse.tag
