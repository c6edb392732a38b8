"""A work that ends when something else comes first."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from ferryman.http.waits import before

pytestmark = pytest.mark.anyio


class Gone(Exception):
    pass


async def gone() -> None:
    raise Gone


async def ends() -> None:
    pass


async def seven() -> int:
    return 7


async def for_ever() -> int:
    await asyncio.Event().wait()
    raise AssertionError


async def fails() -> int:
    raise KeyError


async def test_what_comes_first_counts() -> None:
    assert await before(seven(), for_ever()) == 7
    assert await before(for_ever(), ends()) is None
    with pytest.raises(Gone):
        await before(for_ever(), gone())
    with pytest.raises(KeyError):
        await before(fails(), for_ever())


async def test_of_what_comes_together_the_work_counts_and_nobody_complains_of_the_rest() -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    assert await before(seven(), gone(), gone()) == 7
    with pytest.raises(KeyError):
        await before(fails(), gone())
    with pytest.raises(Gone):
        await before(for_ever(), gone(), gone())
    gc.collect()
    assert said == []


async def test_who_is_cancelled_leaves_nothing_behind() -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    others = asyncio.all_tasks()

    async def refuses() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError

    waiting = asyncio.ensure_future(before(refuses(), for_ever()))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == others
    del waiting
    gc.collect()
    assert said == []
