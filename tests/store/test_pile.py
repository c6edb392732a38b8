"""The pile: one write at a time, everything that waited goes into the next one."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.store.pile import Pile

pytestmark = pytest.mark.anyio


class Disk:
    """A write that takes as long as the test wants."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def write(self, group: list[int]) -> list[int | Exception]:
        self.groups.append(group)
        if not self.entered.done():
            self.entered.set_result(None)
        await self.gate
        return [ValueError(f"no {item}") if item < 0 else item * 10 for item in group]


async def test_what_comes_during_a_write_shares_the_next_one() -> None:
    disk = Disk()
    pile = Pile(disk.write, cap=3)
    first = pile.submit(1)
    await disk.entered
    later = [pile.submit(item) for item in (2, 3, 4, 5)]
    assert len(pile) == 4
    disk.gate.set_result(None)
    assert await asyncio.gather(first, *later) == [10, 20, 30, 40, 50]
    assert disk.groups == [[1], [2, 3, 4], [5]]
    assert len(pile) == 0


async def test_one_bad_item_fails_alone_and_a_failed_write_fails_all() -> None:
    disk = Disk()
    disk.gate.set_result(None)
    pile = Pile(disk.write, cap=10)
    good, bad = pile.submit(1), pile.submit(-1)
    assert await good == 10
    with pytest.raises(ValueError, match="no -1"):
        await bad

    async def broken(_: list[int]) -> list[int | Exception]:
        raise OSError("gone")

    answers = [Pile(broken, cap=10).submit(1) for _ in range(2)]
    assert [type(error) for error in await asyncio.gather(*answers, return_exceptions=True)] == [OSError, OSError]


async def test_a_waiter_that_goes_away_takes_nothing_back() -> None:
    disk = Disk()
    pile = Pile(disk.write, cap=10)
    gone, stays = pile.submit(1), pile.submit(2)
    await disk.entered
    gone.cancel()
    disk.gate.set_result(None)
    assert await stays == 20
    assert disk.groups == [[1, 2]]


async def test_flush_waits_for_what_was_added() -> None:
    disk = Disk()
    disk.gate.set_result(None)
    pile = Pile(disk.write, cap=10)
    await pile.flush()
    pile.add(1)
    await pile.flush()
    assert disk.groups == [[1]]
