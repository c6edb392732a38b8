"""The classic design, as a reference: one table, a row that is updated at each step, a claim by SKIP LOCKED."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from benchmarks.postgres.contender import Fate
from benchmarks.postgres.stores import PAYLOAD

SCHEMA = """
create table job (
  id bigint generated always as identity primary key,
  state text not null default 'pending',
  attempt integer not null default 0,
  run_at timestamptz,
  payload text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
create index job_pending on job (id) where state = 'pending';
create index job_scheduled on job (run_at) where state = 'scheduled';
"""
INSERT = "insert into job (payload) select unnest($1::text[])"
CLAIM = """
update job set state = 'processing', attempt = attempt + 1
where id in (select id from job where state = 'pending' order by id limit $1 for update skip locked)
returning id, payload
"""
FINISH = """
update job set
  state = case when delay = 0 then 'completed' else 'scheduled' end,
  run_at = case when delay > 0 then now() + delay * interval '1 second' end,
  finished_at = case when delay = 0 then now() end
from unnest($1::bigint[], $2::float[]) as run (job, delay)
where id = run.job
"""
PROMOTE = "update job set state = 'pending' where state = 'scheduled' and run_at <= now()"
CONNECTIONS = 4


class Classic:
    """Implements `Contender`; a job is its id."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> None:
        """A pool with a connection for each verb."""
        self._pool = await asyncpg.create_pool(self._url, min_size=CONNECTIONS, max_size=CONNECTIONS)

    async def close(self) -> None:
        """Disconnect."""
        self._pool.terminate()

    async def insert(self, count: int) -> None:
        """Hand jobs in."""
        await self._pool.execute(INSERT, [PAYLOAD] * count)

    async def claim(self, limit: int) -> Sequence[int]:
        """Take pending jobs."""
        return [row["id"] for row in await self._pool.fetch(CLAIM, limit)]

    async def finish(self, runs: Sequence[tuple[int, Fate]]) -> int:
        """Write what runs ended in."""
        delays = [fate.value for _, fate in runs]
        await self._pool.execute(FINISH, [id for id, _ in runs], delays)
        return delays.count(0.0)

    async def promote(self) -> None:
        """Make due jobs pending."""
        await self._pool.execute(PROMOTE)

    async def beat(self) -> None:
        """This design knows no nodes."""


async def make(url: str) -> None:
    """Make the table in an empty database."""
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA)
    await connection.close()
