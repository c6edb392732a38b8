"""The API keys as a process knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ferryman.domain.access import ApiKey, Right
from ferryman.domain.audit import Deed
from ferryman.domain.errors import StoreFailed
from ferryman.http.keyring import AGE, Keyring
from ferryman.store.access import Added
from ferryman.testing.clock import ManualClock
from tests.engine.world import turns
from tests.http.world import World, is_problem, talk

pytestmark = pytest.mark.anyio


class KeyStore:
    """Has keys, counts who asks for them, and fails when it is told to."""

    def __init__(self) -> None:
        self.keys: list[ApiKey] = []
        self.looks = 0
        self.used: list[Mapping[str, int]] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def api_keys(self) -> Sequence[ApiKey]:
        self.looks += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.keys

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        self.used.append(used)
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        raise NotImplementedError

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        raise NotImplementedError

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        raise NotImplementedError

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        raise NotImplementedError

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        raise NotImplementedError


class Ring:
    """A keyring over such a store."""

    def __init__(self) -> None:
        self.store = KeyStore()
        self.clock = ManualClock()
        self.keyring = Keyring(self.store, self.clock)


@pytest.fixture
def ring() -> Ring:
    return Ring()


def api_key(id: str = "1", **more: Any) -> ApiKey:
    return ApiKey(id=id, name="web", digest="", rights=(Right.READ,), created_at=0, **more)


async def test_the_store_is_asked_once_a_second_at_most(ring: Ring) -> None:
    for _ in range(5):
        assert await ring.keyring.keys() == {}
    assert ring.store.looks == 1
    ring.store.keys = [api_key()]
    ring.clock.advance(AGE * 0.99)
    assert await ring.keyring.keys() == {}
    ring.clock.advance(AGE * 0.01)
    assert set(await ring.keyring.keys()) == {"1"}
    assert ring.store.looks == 2


async def test_those_who_come_meanwhile_share_a_look_however_long_it_takes(ring: Ring) -> None:
    ring.store.gate.clear()
    asking = [asyncio.create_task(ring.keyring.keys()) for _ in range(3)]
    await turns()
    ring.clock.advance(10 * AGE)
    asking.append(asyncio.create_task(ring.keyring.keys()))
    await turns()
    ring.store.gate.set()
    await asyncio.gather(*asking)
    assert ring.store.looks == 1


async def test_who_goes_away_takes_nobodys_look_along(ring: Ring) -> None:
    ring.store.gate.clear()
    gone, waits = asyncio.create_task(ring.keyring.keys()), asyncio.create_task(ring.keyring.keys())
    await turns()
    gone.cancel()
    ring.store.gate.set()
    assert await waits == {}


async def test_a_store_that_fails_is_not_asked_by_every_request(ring: Ring) -> None:
    ring.store.error = StoreFailed("It is broken.")
    for _ in range(3):
        with pytest.raises(StoreFailed):
            await ring.keyring.keys()
    assert ring.store.looks == 1
    ring.store.error = None
    ring.clock.advance(AGE)
    assert await ring.keyring.keys() == {}


async def test_the_last_use_is_written_once_a_minute(ring: Ring) -> None:
    key = api_key()
    for _ in range(3):
        ring.keyring.used(key)
        await turns()
    ring.clock.advance(59)
    ring.keyring.used(key)
    await turns()
    assert ring.store.used == [{"1": ring.clock.now() - 59_000_000}]
    ring.clock.advance(1)
    ring.keyring.used(key)
    await turns()
    assert len(ring.store.used) == 2


async def test_a_use_that_another_process_has_written_is_not_written_again(ring: Ring) -> None:
    ring.keyring.used(api_key(last_used_at=ring.clock.now() - 59_000_000))
    await turns()
    assert ring.store.used == []


async def test_nobody_waits_for_a_last_use_and_one_is_written_at_a_time(ring: Ring) -> None:
    ring.store.gate.clear()
    ring.keyring.used(api_key("1"))
    await turns()
    ring.keyring.used(api_key("2"))
    await turns()
    assert len(ring.store.used) == 1
    ring.store.gate.set()
    await turns()
    ring.keyring.used(api_key("2"))
    await turns()
    assert [list(each) for each in ring.store.used] == [["1"], ["2"]]


async def test_a_last_use_that_could_not_be_written_is_tried_again(ring: Ring) -> None:
    ring.store.error = StoreFailed("It is broken.")
    ring.keyring.used(api_key())
    await turns()
    ring.store.error = None
    ring.keyring.used(api_key())
    await turns()
    assert len(ring.store.used) == 2


async def test_a_store_that_cannot_be_read_lets_nobody_pass(world: World) -> None:
    store = KeyStore()
    store.error = StoreFailed("It is broken.")
    world.keyring = Keyring(store, world.clock)
    async with talk(world.over(world.client)) as http:
        is_problem(await http.get("/jobs"), 503, "FM209")
        assert (await http.get("/health")).status_code == 200
