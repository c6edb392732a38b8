"""Turns on PostgreSQL, where others draw, claim and end jobs at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.store.postgres import PostgresStore, shares
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()


def sharing(key: str, **fields: Any) -> NewJob:
    return new_job(IDS.mint(0), key=key, gate=GateRule(share=1), **fields)


def ids(batch: Batch) -> list[str]:
    return [job.id for job in batch.jobs]


async def drawn(store: PostgresStore, count: int) -> None:
    """Somebody has drawn so many, and has not claimed them yet."""
    await store.rules()
    await shares.draw(store._lines.claims, sorted(store._rules.fair), count, 0)


async def test_a_claim_draws_anew_where_others_take_what_is_ready(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        node = await store.register(node_info("n"), 0)
        jobs = [sharing("a") for _ in range(5)]
        await store.insert(jobs, 0)
        await drawn(store, 1)
        store._behind.begin_if_due()  # else the first claim does, and what the look finds depends on who is quicker
        await store._behind.flush()
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.ready FOR UPDATE")
            assert ids(await store.claim(claim_of(node, 1, 1), 0)) == [jobs[1].id]
            batch = await store.claim(claim_of(node, 2, 2), 0)
        assert ids(batch) == [jobs[2].id]
        assert batch.again.limited, "it asked for two, and there are more"
        left = await store.claim(claim_of(node, 3, 5), 0)
        assert ids(left) == [jobs[3].id, jobs[4].id], "the first one is found when it looks behind its cursor"


@pytest.mark.parametrize(("takes", "gets", "looks_again"), [(2, [3, 4], False), (1, [2], True), (0, [1, 2], False)])
async def test_others_may_take_what_a_claim_has_drawn(
    database: str, monkeypatch: pytest.MonkeyPatch, takes: int, gets: list[int], looks_again: bool
) -> None:
    async with opened(database) as store, opened(database) as other:
        node, another = await store.register(node_info("n"), 0), await other.register(node_info("m"), 0)
        jobs = [sharing("a") for _ in range(6)]
        await store.insert(jobs, 0)
        assert ids(await store.claim(claim_of(node, 1, 1), 0)) == [jobs[0].id]
        take = store._flow._take

        async def later(request: ClaimRequest, now: int) -> Any:
            monkeypatch.undo()
            if takes:
                assert len((await other.claim(claim_of(another, 2, takes), 0)).jobs) == takes
            return await take(request, now)

        monkeypatch.setattr(store._flow, "_take", later)
        batch = await store.claim(claim_of(node, 3, 2), 0)
        assert ids(batch) == [jobs[n].id for n in gets]
        assert batch.again.limited == looks_again


async def test_a_claim_does_not_wait_for_those_whose_turn_it_is_while_somebody_ends_them(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        node = await store.register(node_info("n"), 0)
        jobs = [sharing("a"), sharing("a"), sharing("b")]
        await store.insert(jobs, 0)
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.held WHERE key = 'a' FOR UPDATE")
            assert ids(await store.claim(claim_of(node, 1, 3), 0)) == [jobs[2].id]
            assert ids(await store.claim(claim_of(node, 2, 3), 0)) == []
        assert ids(await store.claim(claim_of(node, 3, 3), 0)) == [jobs[0].id, jobs[1].id]


async def test_a_claim_hears_of_a_lane_in_which_another_process_has_keys_take_turns(database: str) -> None:
    async with opened(database) as store, opened(database) as other:
        node = await store.register(node_info("n"), 0)
        assert ids(await store.claim(claim_of(node, 1), 0)) == []
        job = sharing("a")
        await other.insert([job], 0)
        assert ids(await store.claim(claim_of(node, 2), 0)) == [job.id]
