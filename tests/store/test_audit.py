"""A deed and its change are one transaction: where the one cannot be, the other is not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.audit import KEPT
from ferryman.domain.errors import StoreError
from ferryman.store.auditing import AuditFilter
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.deeds import DEEDS, deed_of, everything
from tests.postgres.databases import Databases
from tests.store.harnesses import PostgresHarness, SqliteHarness
from tests.store.servers import connected

pytestmark = pytest.mark.anyio

REFUSED = "CREATE TRIGGER refused AFTER INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no deeds today'); END"
REFUSED_AT_THE_COMMIT = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no deeds today'; END $$;
CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON ferryman.audit DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[Bench]:
    harness = SqliteHarness(tmp_path)
    yield Bench(harness, await harness.open())
    await harness.close()


@pytest.fixture
async def on_postgres(postgres: Databases, tmp_path: Path) -> AsyncIterator[tuple[Bench, str]]:
    harness = PostgresHarness(postgres, tmp_path)
    bench = Bench(harness, await harness.open())
    yield bench, harness.url
    await harness.close()


@pytest.mark.parametrize("which", DEEDS)
async def test_what_cannot_be_written_down_is_not_done(on_sqlite: Bench, tmp_path: Path, which: str) -> None:
    """Neither by a request alone nor by one of a group, of which the others are none the worse."""
    bench = on_sqlite
    action, made_ready = DEEDS[which]
    say = await made_ready(bench)
    before = await everything(bench)
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute(REFUSED)
    with pytest.raises(StoreError):
        await say(deed_of(bench, action))
    assert await everything(bench) == before
    answers = await asyncio.gather(
        *(say(deed_of(bench, action)) for _ in range(3)), bench.add("mail"), return_exceptions=True
    )
    assert [isinstance(each, StoreError) for each in answers] == [True, True, True, False]
    await bench.store.cancel(str(answers[-1]), bench.now)
    assert (await everything(bench))[1:-1] == before[1:-1]
    assert await bench.store.audit(AuditFilter(), None, 10) == []


@pytest.mark.parametrize("which", DEEDS)
async def test_a_commit_that_fails_leaves_neither_the_deed_nor_the_change(
    on_postgres: tuple[Bench, str], which: str
) -> None:
    bench, url = on_postgres
    action, made_ready = DEEDS[which]
    say = await made_ready(bench)
    before = await everything(bench)
    async with connected(url) as other:
        await other.execute(REFUSED_AT_THE_COMMIT)
        with pytest.raises(StoreError):
            await say(deed_of(bench, action))
        after = await everything(bench)
        after[3] = [each for each in after[3] if each in before[3]]  # a gate may be made, which is none of a person's
        assert after == before
        assert await bench.store.audit(AuditFilter(), None, 10) == []
        await other.execute("DROP TRIGGER refused ON ferryman.audit")
    await say(deed_of(bench, action))
    assert len(await bench.store.audit(AuditFilter(), None, 10)) == 1


async def test_nobody_drops_young_deeds_by_the_function_that_drops_old_ones(on_postgres: tuple[Bench, str]) -> None:
    """Whatever time is said: the server's own clock counts."""
    bench, url = on_postgres
    async with connected(url) as other:
        for age in ("0", "89 days", "91 days"):
            at = f"(extract(epoch FROM clock_timestamp() - interval '{age}') * 1000000)::bigint"
            await other.execute(
                "INSERT INTO ferryman.audit (at, actor, action, target, detail)"
                f" VALUES ({at}, 'http', 'job.cancel', '{age}', '{{}}')"
            )
        assert await other.fetchval("SELECT ferryman.prune_audit(9223372036854775807, 100)") == 1
    assert [each.deed.target for each in await bench.store.audit(AuditFilter(), None, 10)] == ["89 days", "0"]
    assert KEPT == 90 * 86_400_000_000
