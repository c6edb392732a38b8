"""Every statement finds its rows by an index, whatever the tables held when its plan was made.

Plans made on empty tables are the trap: they are kept, and read whole tables once those are full.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest

from ferryman.domain.job import JobError
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.report import Line, Progress, Report
from ferryman.domain.series import MINUTE, Timing
from ferryman.store.postgres.connections import ENGINE
from ferryman.store.postgres.statements import Statements
from tests.postgres.databases import Databases
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
SMALL: Final = frozenset(
    {"tally", "gone", "lane", "node", "type", "claim", "rule", "edition", "gate_edition", "schedule", "fair"}
) | {"api_key", "quota"}
"""Tables with one row per lane, type, node, rule, schedule, API key, quota or batch under way: may be read whole."""
MIDDLE: Final = "01900000-0000-7000-8000-000000000000"
"""An id for those that are asked about one: without, partitions would be left out of the plan."""
FEW: Final = 12
MANY: Final = 8_000
STATEMENTS: Final = Statements()
PLANNED: Final = re.compile(r"^(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.MULTILINE)
NAMES: Final = sorted(
    name for name in STATEMENTS.names() if PLANNED.search(STATEMENTS[name]) and not name.startswith("examine_")
)


@pytest.fixture(scope="module", params=["empty", "few", "full"])
def tables(postgres: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database whose tables are empty, or have few rows or many and are known to."""
    url = postgres.fresh()
    if request.param != "empty":
        asyncio.run(fill(url, MANY if request.param == "full" else FEW))
    yield url
    postgres.drop(url)


@pytest.fixture
async def planner(tables: str) -> AsyncIterator[Any]:
    """A connection like the store's own."""
    async with connected(tables) as connection:
        await connection.execute(ENGINE.format(scope="SESSION"))
        yield connection


async def fill(database: str, count: int) -> None:
    """Jobs in every place."""
    ids = minter()
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        await store.insert([new_job(ids.mint(0)) for _ in range(count)], 0)
        taken = (await store.claim(claim_of(node, 1, count // 4), 0)).jobs
        await store.finish(node, [decide(job, an_end(n), Run(1), 0) for n, job in enumerate(taken)], 0)
        later = [new_job(ids.mint(0), run_at=1 << 50, expires_at=1 << 51) for _ in range(count // 4)]
        await store.insert(later, 0)
        await store.insert([new_job(ids.mint(0), unique_key=f"{n}") for n in range(count // 4)], 0)
        running = (await store.claim(claim_of(node, 2, count // 10), 0)).jobs
        line, said = Line(0, "info", "shop", "one"), Progress(1, 2, "half", 0)
        await store.report(node, [Report(job.id, 1, 1, 2, 7, said, 0, [line]) for job in running])
        for minute in range(1, count // 100 + 2):
            timings = [Timing(f"q{n}", "echo", minute * MINUTE, {1: 1}, {}) for n in range(min(count, 100))]
            await store.sample(minute * MINUTE, node, timings)
        one = GateRule(concurrency=1)
        await store.insert([new_job(ids.mint(0), key=f"{n % (count // 8)}", gate=one) for n in range(count // 2)], 0)
    async with connected(database) as connection:
        await connection.execute("ANALYZE")


def an_end(n: int) -> Outcome:
    """How the run of a number ended; each that failed did so of something else."""
    error = JobError("FM501", f"E{n}", "boom")
    return [Outcome(What.DONE, "1"), Outcome(What.FAILED, error=error, retryable=False), Outcome(What.CANCELLED)][n % 3]


@pytest.mark.parametrize("name", NAMES)
async def test_no_statement_reads_a_whole_table(planner: Any, name: str) -> None:
    plan = await plan_of(planner, name)
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= SMALL, plan
    assert "Hash Join" not in plan, plan
    whole = re.findall(r"Index (?:Only )?Scan using \w+ on (\w+)[^\n]*\n(?! *Index Cond)", plan)
    assert set(whole) <= SMALL, plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("claim", "ready_line"),
        ("claim", "ready_alone"),
        ("left_behind", "ready_line"),
        ("claim", r"job_\w+_pkey"),
        ("held_batch", r"job_\w+_pkey"),
        ("close_batches", r"outcome_\w+_pkey"),
        ("promote", "later_due"),
        ("page_asc", r"job_\w+_pkey"),
        ("page_desc", r"job_\w+_pkey"),
        ("leave", "ready_id"),
        ("expired", "expiry_pkey"),
        ("keys", "key_pkey"),
        ("lock_gates", "gate_pkey"),
        ("crowds", "slot_pkey"),
        ("crowds", "held_rule"),
        ("let_in", "held_pkey"),
        ("overlooked", r"held_\w+"),
        ("finish_with_keys", "slot_pkey"),
        ("finish_with_keys", "held_pkey"),
        ("drop_slots", "slot_pkey"),
        ("prune_slots", "slot_pkey"),
        ("waited_for", r"held_\w+"),
        ("draw", "held_lane"),
        ("next_shares", "share_turn"),
        ("undrawn", "share_turn"),
        ("lanes_of_keys", "held_lane"),
        ("progress", r"progress_\w+_pkey"),
        ("log_page", r"log_\w+_pkey"),
        ("add_samples", "sample_pkey"),
        ("samples", "sample_pkey"),
        ("thin_samples", "sample_pkey"),
        ("prune_samples", "sample_pkey"),
        ("timings", "timing_pkey"),
        ("first_minute", "timing_minutes"),
        ("group_asc", r"failure_\w+_group_id_status_id_idx"),
        ("group_desc", r"failure_\w+_group_id_status_id_idx"),
        ("group_failures", r"failure_\w+_group_id_status_id_idx"),
        ("seen", "sighting_group"),
        ("age_sightings", "sighting_hours"),
        ("fold_sightings", "sighting_fresh"),
    ],
)
async def test_the_statements_that_matter_use_their_index(planner: Any, name: str, index: str) -> None:
    assert re.search(rf"using {index}\b", await plan_of(planner, name))


async def plan_of(planner: Any, name: str) -> str:
    """The plan that a statement has for all times."""
    text = STATEMENTS[name]
    count = max((int(each) for each in re.findall(r"\$(\d+)", text)), default=0)
    values = [f"'{MIDDLE}'" if re.search(rf"\${n}::uuid\b(?!\[)", text) else "NULL" for n in range(1, count + 1)]
    await planner.execute(f"PREPARE asked AS {text}")
    asked = f"EXPLAIN EXECUTE asked({', '.join(values)})" if values else "EXPLAIN EXECUTE asked"
    return "\n".join(row[0] for row in await planner.fetch(asked))
