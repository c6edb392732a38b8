"""API keys: added, followed by others, ended, dropped; and when they were used."""

from __future__ import annotations

import asyncio
from typing import Any

from ferryman.domain.access import ApiKey, Right
from ferryman.domain.job import MICROS
from ferryman.store.access import Added
from ferryman.testing.conformance.bench import Bench

DAY = 24 * 3600 * MICROS


def api_key(bench: Bench, id: str, name: str = "web", **more: Any) -> ApiKey:
    """A key that is made now."""
    given = {"digest": f"digest of {id}", "rights": (Right.READ,), "created_at": bench.now}
    return ApiKey(id=id, name=name, **{**given, **more})


async def add(bench: Bench, id: str, name: str = "web", until: int | None = None, **more: Any) -> ApiKey:
    """Add a key, which must be taken."""
    key = api_key(bench, id, name, **more)
    assert await bench.store.add_api_key(key, bench.now, until=until) is Added.ADDED
    return key


async def ids(bench: Bench) -> list[str]:
    """Those of every key."""
    return [key.id for key in await bench.store.api_keys()]


async def expiries(bench: Bench) -> dict[str, int | None]:
    """When each key ends."""
    return {key.id: key.expires_at for key in await bench.store.api_keys()}


class KeepingApiKeys:
    """add_api_key, end_api_keys, drop_api_keys, use_api_keys, api_keys."""

    async def test_there_are_no_api_keys_at_first(self, bench: Bench) -> None:
        assert list(await bench.store.api_keys()) == []

    async def test_an_api_key_is_kept_as_it_was_given(self, bench: Bench) -> None:
        plain = await add(bench, "1", "a")
        full = await add(
            bench,
            "2",
            "b",
            rights=(Right.ENQUEUE, Right.OPERATE),
            queues=("letters", "mail"),
            rate=0.5,
            burst=7,
            quota=100_000,
            expires_at=bench.now + DAY,
        )
        assert list(await bench.store.api_keys()) == [plain, full]

    async def test_api_keys_are_told_by_name_and_age(self, bench: Bench) -> None:
        await add(bench, "3", "b")
        bench.clock.advance(1)
        await add(bench, "1", "b", until=bench.now + DAY)
        await add(bench, "2", "a")
        assert await ids(bench) == ["2", "3", "1"]

    async def test_other_connections_know_an_api_key_at_once(self, bench: Bench) -> None:
        key = await add(bench, "1")
        other = await bench.harness.another()
        assert list(await other.api_keys()) == [key]
        await other.end_api_keys(["1"], bench.now)
        assert await expiries(bench) == {"1": bench.now}

    async def test_an_api_key_said_again_changes_nothing(self, bench: Bench) -> None:
        key = await add(bench, "1")
        await add(bench, "2", until=bench.now + DAY)
        before = list(await bench.store.api_keys())
        assert await bench.store.add_api_key(key, bench.now) is Added.ADDED
        assert await bench.store.add_api_key(key, bench.now, until=bench.now) is Added.ADDED
        assert list(await bench.store.api_keys()) == before

    async def test_a_name_that_a_live_key_has_is_taken(self, bench: Bench) -> None:
        await add(bench, "1")
        assert await bench.store.add_api_key(api_key(bench, "2"), bench.now) is Added.TAKEN
        assert await ids(bench) == ["1"]

    async def test_the_name_of_a_key_that_has_ended_is_free_and_that_key_is_forgotten(self, bench: Bench) -> None:
        await add(bench, "1", expires_at=bench.now + MICROS)
        await add(bench, "other", "other", expires_at=bench.now + MICROS)
        bench.clock.advance(1)
        await add(bench, "2")
        assert await ids(bench) == ["other", "2"]

    async def test_a_key_that_follows_has_the_one_before_end(self, bench: Bench) -> None:
        await add(bench, "1", digest="first")
        await bench.store.use_api_keys({"1": 5})
        bench.clock.advance(1)
        await add(bench, "2", until=bench.now + DAY)
        [first, second] = await bench.store.api_keys()
        assert (first.expires_at, first.digest, first.last_used_at) == (bench.now + DAY, "first", 5)
        assert (second.id, second.expires_at) == ("2", None)

    async def test_a_key_that_ends_sooner_by_itself_is_not_prolonged(self, bench: Bench) -> None:
        await add(bench, "1", expires_at=bench.now + 5)
        await add(bench, "2", until=bench.now + DAY)
        assert await expiries(bench) == {"1": bench.now + 5, "2": None}

    async def test_no_key_follows_none(self, bench: Bench) -> None:
        assert await bench.store.add_api_key(api_key(bench, "1"), bench.now, until=bench.now) is Added.ALONE
        await add(bench, "1", expires_at=bench.now + 1)
        bench.clock.advance(1)
        assert await bench.store.add_api_key(api_key(bench, "2"), bench.now, until=bench.now) is Added.ALONE
        assert await ids(bench) == ["1"]

    async def test_two_keys_of_a_name_live_at_most(self, bench: Bench) -> None:
        await add(bench, "1")
        await add(bench, "2", until=bench.now + MICROS)
        third = api_key(bench, "3")
        assert await bench.store.add_api_key(third, bench.now, until=bench.now + DAY) is Added.CROWDED
        assert await expiries(bench) == {"1": bench.now + MICROS, "2": None}
        bench.clock.advance(1)
        await add(bench, "3", until=bench.now + DAY)
        assert await expiries(bench) == {"2": bench.now + DAY, "3": None}

    async def test_of_many_who_add_a_key_of_one_name_at_a_time_one_does(self, bench: Bench) -> None:
        stores = [bench.store, await bench.harness.another(), await bench.harness.another()]
        told = await asyncio.gather(
            *(store.add_api_key(api_key(bench, f"{n}"), bench.now) for n, store in enumerate(stores))
        )
        assert sorted(told) == [Added.ADDED, Added.TAKEN, Added.TAKEN]
        assert len(await ids(bench)) == 1

    async def test_a_key_that_is_ended_stays(self, bench: Bench) -> None:
        await add(bench, "1", "a")
        await add(bench, "2", "b", expires_at=bench.now - 1)
        await add(bench, "3", "c")
        assert await bench.store.end_api_keys(["1", "2", "unknown"], bench.now) == 1
        assert await expiries(bench) == {"1": bench.now, "2": bench.now - 1, "3": None}
        assert await bench.store.end_api_keys(["1", "2"], bench.now) == 0

    async def test_a_key_that_is_dropped_is_gone(self, bench: Bench) -> None:
        await add(bench, "1", "a")
        await add(bench, "2", "b")
        assert await bench.store.drop_api_keys(["1", "1", "unknown"]) == 1
        assert await ids(bench) == ["2"]
        assert await bench.store.drop_api_keys([]) == 0

    async def test_the_last_use_of_a_key_is_the_latest(self, bench: Bench) -> None:
        await add(bench, "1", "a")
        await add(bench, "2", "b")
        await bench.store.use_api_keys({"1": 7, "unknown": 9})
        await bench.store.use_api_keys({"1": 5, "2": 3})
        assert [key.last_used_at for key in await bench.store.api_keys()] == [7, 3]
