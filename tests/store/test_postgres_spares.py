"""The connections of ours on which handlers' transactions are written: used again as they were, or not at all."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from psycopg.rows import dict_row

from ferryman.store.postgres import holds
from tests.store.postgres_place import IDS, Place, done

pytestmark = pytest.mark.anyio
JOB, OTHER = IDS[:2]


async def test_a_spare_connection_is_used_again_as_it_was(place: Place) -> None:
    job, other = await place.claim(JOB), await place.claim(OTHER, 2)
    opened = await place.begin(job, blocking=True)
    first = opened.connection
    await asyncio.to_thread(first.execute, "SET search_path = nowhere")
    first.row_factory = dict_row
    assert await opened.finish(done(job), 0)
    again = await place.begin(other, blocking=True)
    assert again.connection is first
    assert first.execute("SHOW search_path").fetchone() == ('"$user", public',)
    await again.rollback()


async def test_a_spare_connection_that_was_lost_is_replaced(place: Place) -> None:
    job = await place.claim(JOB)
    opened = await place.begin(job, blocking=True)
    first = opened.connection
    await opened.rollback()
    holds.break_off(first)
    again = await place.begin(job, blocking=True)
    assert again.connection is not first
    await again.rollback()
    first.close()


async def test_a_spare_connection_that_another_thread_has_taken_is_no_harm(place: Place) -> None:
    class Taken(list[Any]):
        def __bool__(self) -> bool:
            return not taken

        def pop(self, index: Any = -1) -> Any:
            taken.append(True)
            raise IndexError

    taken: list[bool] = []
    place.store.transactions._spares._idle = Taken()
    opened = await place.begin(await place.claim(JOB), blocking=True)
    place.store.transactions._spares._idle = []
    await opened.rollback()


async def test_a_forked_child_leaves_the_connections_of_its_parent_alone(place: Place) -> None:
    job = await place.claim(JOB)
    for blocking in (False, True):
        opened = await place.begin(job, blocking=blocking)
        await opened.rollback()
    pid = os.fork()
    if not pid:
        alone = not place.store.transactions._spares._idle and place.store.transactions._pool is None
        os._exit(0 if alone else 1)
    _, code = await asyncio.to_thread(os.waitpid, pid, 0)
    assert code == 0
    for blocking in (False, True):
        opened = await place.begin(job, blocking=blocking)
        await place.move(opened)
        await opened.rollback()


async def test_a_spare_connection_that_is_left_in_the_middle_is_closed(place: Place) -> None:
    spares = place.store.transactions._spares
    connection = await asyncio.to_thread(spares.getconn)
    await asyncio.to_thread(connection.execute, "BEGIN")
    spares.putconn(connection)
    assert connection.closed


async def test_connections_of_ours_are_forgotten_and_made_anew(place: Place) -> None:
    job, transactions = await place.claim(JOB), place.store.transactions
    for blocking in (False, True):
        await (await place.begin(job, blocking=blocking)).rollback()
    pool, spare = transactions._pool, transactions._spares._idle[0]
    transactions.abandon()
    for blocking in (False, True):
        opened = await place.begin(job, blocking=blocking)
        assert opened.connection is not spare
        await opened.rollback()
    assert transactions._pool is not pool
    assert pool is not None
    pool.terminate()
    spare.close()


async def test_a_closed_psycopg_connection_is_not_cut() -> None:
    class Closed:
        closed = True

    holds.break_off(Closed())
