"""take_quota and quotas_taken: how many jobs API keys may enqueue in a day."""

from __future__ import annotations

import asyncio

from ferryman.domain.access import DAY
from ferryman.testing.conformance.bench import Bench

QUOTA = 100
TAKERS = 20


async def take(
    bench: Bench, least: int, most: int, name: str = "web", quota: int = QUOTA, now: int | None = None
) -> int:
    """Take some now."""
    return await bench.store.take_quota(name, quota, least, most, bench.now if now is None else now)


class TakingQuotas:
    """Processes take portions, and all portions of a day are the quota."""

    async def test_all_portions_of_a_day_are_the_quota(self, bench: Bench) -> None:
        assert await bench.store.quotas_taken(bench.now) == {}
        assert [await take(bench, 1, 40) for _ in range(5)] == [40, 40, 20, 0, 0]
        assert await bench.store.quotas_taken(bench.now) == {"web": QUOTA}

    async def test_fewer_than_would_do_are_not_taken(self, bench: Bench) -> None:
        assert await take(bench, 1, 90) == 90
        assert await take(bench, 11, 20) == 0
        assert await take(bench, 10, 20) == 10
        assert await take(bench, QUOTA + 1, QUOTA + 1, "other") == 0
        assert await bench.store.quotas_taken(bench.now) == {"web": QUOTA}

    async def test_each_name_has_its_own(self, bench: Bench) -> None:
        assert [await take(bench, 1, QUOTA, name) for name in ("a", "b", "a")] == [QUOTA, QUOTA, 0]
        assert await take(bench, 1, 7, "c", quota=5) == 5
        assert await bench.store.quotas_taken(bench.now) == {"a": QUOTA, "b": QUOTA, "c": 5}

    async def test_each_day_has_its_own(self, bench: Bench) -> None:
        midnight = (bench.now // DAY + 1) * DAY
        assert await take(bench, 1, 60, now=midnight - 1) == 60
        assert await bench.store.quotas_taken(midnight) == {}
        assert await take(bench, 1, 60, now=midnight) == 60
        assert await bench.store.quotas_taken(midnight) == {"web": 60}

    async def test_a_clock_that_lags_opens_no_day_anew(self, bench: Bench) -> None:
        midnight = (bench.now // DAY + 1) * DAY
        assert await take(bench, 1, 60, now=midnight) == 60
        assert await take(bench, 1, 60, now=midnight - 1) == 0
        assert await take(bench, 1, 60, now=midnight) == 40

    async def test_a_smaller_quota_than_was_taken_has_nothing_left(self, bench: Bench) -> None:
        assert await take(bench, 1, 50) == 50
        assert await take(bench, 1, 10, quota=20) == 0
        assert await take(bench, 1, 10, quota=55) == 5

    async def test_many_who_take_at_once_get_the_quota_together(self, bench: Bench) -> None:
        stores = [bench.store, await bench.harness.another()]
        told = await asyncio.gather(*(stores[n % 2].take_quota("web", QUOTA, 1, 7, bench.now) for n in range(TAKERS)))
        assert sum(told) == QUOTA
        assert await bench.store.quotas_taken(bench.now) == {"web": QUOTA}
