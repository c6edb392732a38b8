"""Schedules on PostgreSQL, where two who create, drop and fire them meet."""

from __future__ import annotations

import pytest

from ferryman.domain.cron import Cron
from ferryman.domain.errors import StoreBusy
from ferryman.domain.schedule import Order, Schedule
from ferryman.store.postgres.scheduling import LOOKS, put
from ferryman.store.scheduling import Put, after_put, columns_of
from tests.store.servers import opened

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
DAILY = Schedule("daily", Cron("@daily"), Order("t"))


def test_who_creates_what_somebody_else_has_just_created_finds_it() -> None:
    steps = put(DAILY, 1, declared=False)
    assert next(steps).statement == "lock_schedule"
    assert steps.send([]).statement == "add_schedule"
    assert steps.send([]).statement == "lock_schedule", "it was there, so that nothing was added"
    theirs, _ = after_put(None, DAILY, 1, declared=False)
    with pytest.raises(StopIteration) as end:
        steps.send([columns_of(theirs)])
    assert end.value.value is Put.UNCHANGED


def test_a_schedule_that_comes_and_goes_is_given_up() -> None:
    steps = put(DAILY, 1, declared=False)
    next(steps)
    for _ in range(2 * LOOKS - 1):
        steps.send([])
    with pytest.raises(StoreBusy, match="daily came and went"):
        steps.send([])


@pytest.mark.anyio
async def test_who_waits_too_long_for_a_schedule_is_told_that_it_is_busy(database: str) -> None:
    """Somebody's transaction has the row; the connections by which jobs come in wait for half a second at most."""
    async with opened(database) as store:
        await store.put_schedule(DAILY, 1)
        [kept] = await store.schedules()
        async with opened(database) as other:
            people = other._lines.people
            async with people._lent(None) as connection, connection.transaction():
                await connection.execute("SELECT 1 FROM ferryman.schedule FOR UPDATE")
                firing = DAILY.firing(kept.seen_until, kept.changed_at, [2], lambda: ID, 2)
                with pytest.raises(StoreBusy):
                    await store.fire(firing, 2)
        assert await store.fire(firing, 2)
