"""Whether a process is ready, and what it says where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ferryman.domain.errors import StoreUnreachable
from ferryman.http.readiness import Readiness

pytestmark = pytest.mark.anyio


class Asked:
    """A store of which only the types are asked for."""

    def __init__(self, answer: Callable[[], Awaitable[object]]) -> None:
        self.answer = answer
        self.times = 0

    async def known_types(self) -> object:
        self.times += 1
        return await self.answer()


def readiness(answer: Callable[[], Awaitable[object]], *, claims: bool = True) -> tuple[Readiness, Asked]:
    store: Any = Asked(answer)
    return Readiness(lambda: claims, store, 0.01), store


async def well() -> object:
    return {}


async def gone() -> object:
    raise StoreUnreachable("PostgreSQL at db:5432 cannot be reached.", why="It said:\n no.", hint="Look.")


async def broken() -> object:
    raise ZeroDivisionError


async def test_nothing_is_missing() -> None:
    asked, _ = readiness(well)
    assert await asked.missing() == {}


async def test_a_store_that_fails_is_told_in_a_line_with_code_what_and_why() -> None:
    asked, _ = readiness(gone)
    assert await asked.missing() == {"store": "FM218: PostgreSQL at db:5432 cannot be reached. It said: no."}


async def test_a_node_that_does_not_claim_comes_first() -> None:
    asked, _ = readiness(gone, claims=False)
    missing = await asked.missing()
    assert list(missing) == ["node", "store"]
    assert "does not claim" in missing["node"]


async def test_a_store_that_does_not_answer_is_asked_once_and_not_waited_for() -> None:
    answered = asyncio.Event()

    async def late() -> object:
        await answered.wait()
        return {}

    asked, store = readiness(late)
    for _ in range(3):
        assert await asked.missing() == {"store": "It has not answered for 0.01 s."}
    assert store.times == 1
    answered.set()
    assert await asked.missing() == {}
    assert await asked.missing() == {}
    assert store.times == 2


async def test_what_is_no_error_of_the_store_is_not_hidden() -> None:
    asked, _ = readiness(broken)
    with pytest.raises(ZeroDivisionError):
        await asked.missing()
