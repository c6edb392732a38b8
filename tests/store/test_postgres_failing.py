"""The PostgreSQL store when the server, or the way to it, fails: what is said, what is kept, and that it goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ferryman.domain.errors import (
    BadSetting,
    DatabaseReadOnly,
    SchemaMissing,
    ServerTooOld,
    StoreBusy,
    StoreClosed,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreUnreachable,
)
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.store.postgres import nodes, schema
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.failures import explain
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.statements import Statements, migrations
from ferryman.store.postgres.steps import ask
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import Verdict
from ferryman.testing.clock import ManualClock
from tests.postgres.databases import Databases
from tests.postgres.proxy import Proxy
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import at_rest, connected, end_process_of, minter, opened, postgres_store

pytestmark = pytest.mark.anyio
IDS = minter()
WAIT = 20.0


def held(wait: Callable[[float], bool]) -> Any:
    """Wait in a thread until the proxy holds something."""
    return asyncio.to_thread(wait, WAIT)


# -- what is said --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"), DatabaseReadOnly),
        (asyncpg.DeadlockDetectedError("deadlock detected"), StoreBusy),
        (asyncpg.SerializationError("could not serialize"), StoreBusy),
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), StoreBusy),
        (asyncpg.DiskFullError("could not extend file"), StoreFull),
        (asyncpg.UndefinedTableError('relation "ferryman.job" does not exist'), SchemaMissing),
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), StoreUnreachable),
        (asyncpg.InvalidPasswordError("password authentication failed"), StoreUnreachable),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"), StoreUnreachable),
        (TimeoutError(), StoreUnreachable),
        (ConnectionResetError(), StoreUnreachable),
        (asyncpg.NumericValueOutOfRangeError("integer out of range"), StoreFailed),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else type(each).__name__,
)
def test_each_failure_has_its_code_and_names_the_place(error: Exception, kind: type[StoreError]) -> None:
    told = explain(error, "host:1, database d, user u")
    assert type(told) is kind
    assert "host:1, database d, user u" in str(told)
    assert str(error).lower() in str(told).lower() or kind is StoreFull


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:secret@h:5433/d", "h:5433, database d, user u"),
        ("postgres://u:s%40cret@h/d", "h:5432, database d, user u"),
        ("postgresql:///d?host=/run/pg&user=u", "/run/pg:5432, database d, user u"),
        ("postgresql://h", "h:5432, database of the user, user of this process"),
    ],
)
def test_a_target_says_where_it_is_without_its_password(url: str, place: str) -> None:
    assert Target.of(url).place == place
    assert Target.of(url).url.startswith("postgresql://")


def test_a_url_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(BadSetting) as caught:
        Target.of("postgresql://u:secret@h:port/d")
    assert "secret" not in str(caught.value)


async def test_a_store_that_is_not_open_says_so(database: str) -> None:
    with pytest.raises(StoreClosed):
        await postgres_store(database).lanes()


async def test_a_database_without_our_tables_is_refused(postgres: Databases) -> None:
    url = await asyncio.to_thread(postgres.empty)
    with pytest.raises(SchemaMissing, match="does not have its tables"):
        await postgres_store(url).open()
    async with connected(url) as other:
        await other.execute("CREATE SCHEMA ferryman; CREATE TABLE ferryman.migration (number int, applied_at int)")
        await other.execute("INSERT INTO ferryman.migration VALUES (-1)")
    with pytest.raises(SchemaMissing, match="as of migration -1"):
        await postgres_store(url).open()
    await asyncio.to_thread(postgres.drop, url)


async def test_migrating_is_done_once_whoever_comes_first(postgres: Databases) -> None:
    url = await asyncio.to_thread(postgres.empty)
    done = await asyncio.gather(*(Schema(Target.of(url)).migrate() for _ in range(3)))
    every = [number for number, _ in migrations()]
    assert sorted(number for numbers in done for number in numbers) == every
    assert await Schema(Target.of(url)).applied() == every[-1]
    await asyncio.to_thread(postgres.drop, url)


async def test_a_server_that_is_too_old_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "OLDEST_SERVER", 990_000)
    with pytest.raises(ServerTooOld, match="PostgreSQL 1"):
        await postgres_store(database).open()


async def test_a_dead_server_is_told_of_with_all_but_the_password(proxy: Proxy) -> None:
    proxy.cut()
    with pytest.raises(StoreUnreachable) as caught:
        await postgres_store(proxy.url().replace("@", ":secret@")).open()
    assert f"127.0.0.1:{proxy.port}" in str(caught.value)
    assert "secret" not in str(caught.value)


# -- what is kept --------------------------------------------------------------------------------


async def test_an_enqueue_whose_answer_was_lost_is_said_again_and_stored_once(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        first, second = (new_job(IDS.mint(0)) for _ in range(2))
        await store.insert([first], 0)
        await at_rest(store)
        proxy.swallow_commits()
        inserting = asyncio.create_task(store.insert([second], 0))
        assert await held(proxy.wait_for_commit)
        proxy.drop()
        proxy.thaw()
        assert [each.verdict for each in (await inserting).receipts] == [Verdict.EXISTS]
        counts = await store.counts(0)
        assert counts.standing["default", Status.PENDING] == 2


async def test_an_enqueue_gives_up_while_the_server_is_gone(proxy: Proxy) -> None:
    clock = ManualClock()
    async with opened(proxy.url(), clock) as store:
        await store.insert([new_job(IDS.mint(0))], 0)
        proxy.cut()
        inserting = asyncio.create_task(store.insert([new_job(IDS.mint(0))], 0))
        await asyncio.wait((inserting,), timeout=0.2)
        clock.advance(10.0)
        with pytest.raises(StoreUnreachable):
            await inserting
        proxy.restore()
        await store.insert([new_job(IDS.mint(0))], 0)


@pytest.mark.parametrize("riding", [False, True], ids=["alone", "with a claim"])
async def test_an_enqueue_does_not_wait_for_a_server_that_says_nothing(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, *, riding: bool
) -> None:
    async with opened(proxy.url()) as store:
        node = await store.register(node_info("n"), 0)
        await store.insert([new_job(IDS.mint(0))], 0, claim=claim_of(node, 1))
        monkeypatch.setattr("ferryman.store.postgres.flow.INSERT_SECONDS", 0.1)
        proxy.freeze()
        with pytest.raises(StoreUnreachable, match="did not answer in time"):
            await store.insert([new_job(IDS.mint(0))], 0, claim=claim_of(node, 2) if riding else None)
        proxy.drop()
        proxy.thaw()


async def test_a_finish_whose_answer_was_lost_knows_its_own(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        node = await store.register(node_info("n"), 0)
        await store.insert([new_job(IDS.mint(0)) for _ in range(3)], 0)
        jobs = (await store.claim(claim_of(node), 0)).jobs
        ends = [decide(job, Outcome(What.DONE, "null"), Run(IDS.number()), 0) for job in jobs]
        await store.finish(node, ends[:1], 0)
        await at_rest(store)
        proxy.swallow_commits()
        finishing = asyncio.create_task(store.finish(node, ends[1:], 0))
        assert await held(proxy.wait_for_commit)
        proxy.drop()
        proxy.thaw()
        with pytest.raises(StoreUnreachable):
            await finishing
        report = await store.finish(node, ends, 0)
        assert report.fenced == frozenset()
        assert (await store.counts(0)).totals["completed"] == 3


async def test_a_claim_whose_answer_was_lost_is_found(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        node = await store.register(node_info("n"), 0)
        ids = [IDS.mint(0) for _ in range(2)]
        await store.insert([new_job(id) for id in ids[:1]], 0)
        await store.claim(claim_of(node, 1), 0)
        await store.insert([new_job(id) for id in ids[1:]], 0)
        await at_rest(store)
        proxy.swallow_commits()
        claiming = asyncio.create_task(store.claim(claim_of(node, 2), 0))
        assert await held(proxy.wait_for_commit)
        proxy.drop()
        proxy.thaw()
        with pytest.raises(StoreUnreachable):
            await claiming
        assert [batch.id for batch in await store.open_batches(node)] == [1, 2]
        assert [job.id for job in (await store.claim(claim_of(node, 2), 0)).jobs] == ids[1:]
        assert await store.release(node, 2, 0) == 1
        assert [job.id for job in (await store.claim(claim_of(node, 3), 0)).jobs] == ids[1:]


async def test_a_call_that_is_cancelled_leaves_no_connection_in_an_unknown_state(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        await store.lanes()
        await at_rest(store)
        proxy.swallow_commits()
        inserting = asyncio.create_task(store.insert([new_job(IDS.mint(0))], 0))
        assert await held(proxy.wait_for_commit)
        inserting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await inserting
        proxy.drop()
        proxy.thaw()
        await store.insert([new_job(IDS.mint(0))], 0)


async def test_a_transaction_that_fails_leaves_nothing_and_its_connection_is_used_again(database: str) -> None:
    line = Line(Target.of(database), Statements(), size=1, seconds=5.0)
    await line.open()
    await line.open()
    with pytest.raises(StoreFailed):
        await line.transact(ask("existing_jobs", ["no id"]))
    assert await line.transact(ask("lanes")) == []
    await line.close()
    await line.close()


async def test_a_line_that_does_not_close_in_time_is_cut(proxy: Proxy) -> None:
    line = Line(Target.of(proxy.url()), Statements(), size=1, seconds=5.0)
    await line.open()
    await line.do(ask("lanes"))
    async with line._lent(None) as connection:  # somebody does not give it back in time
        await line.close()
        assert connection.is_closed()
    with pytest.raises(StoreClosed):
        await line.do(ask("lanes"))


async def test_who_waits_for_a_connection_while_the_line_is_closed_is_told(proxy: Proxy) -> None:
    line = Line(Target.of(proxy.url()), Statements(), size=1, seconds=5.0)
    await line.open()
    async with line._lent(None):
        waiting = asyncio.create_task(line.do(ask("lanes")))
        await asyncio.sleep(0)
        closing = asyncio.create_task(line.close())
        await asyncio.sleep(0)
    await closing
    with pytest.raises(StoreClosed):
        await waiting


async def test_who_waits_too_long_for_a_connection_is_told(proxy: Proxy) -> None:
    line = Line(Target.of(proxy.url()), Statements(), size=1, seconds=5.0)
    await line.open()
    async with line._lent(None):
        with pytest.raises(StoreUnreachable, match="in time"):
            await line.do(ask("lanes"), seconds=0.01)
    await line.close()


async def test_a_forked_child_forgets_the_connections_of_its_parent(database: str) -> None:
    at_fork: list[Callable[[], None]] = []
    store = postgres_store(database, at_fork=at_fork.append)
    await store.open()
    node = await store.register(node_info("n"), 0)
    assert store.beat(node)
    lines = [line for line in vars(store._lines).values() if isinstance(line, Line)]
    inherited = [vars(line).copy() for line in lines]
    thread = store._liveness._beats._thread
    running = vars(thread).copy()
    at_fork[0]()
    assert not any(line._all for line in lines)
    assert thread._thread is None
    with pytest.raises(StoreClosed):
        await store.lanes()
    # what the parent still has
    for line, parts in zip(lines, inherited, strict=True):
        vars(line).update(parts)
    vars(thread).update(running)
    assert store.beat(node)
    await store.close()


# -- beats ---------------------------------------------------------------------------------------


async def test_a_node_beats_while_the_loop_is_blocked(database: str) -> None:
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        answers: list[bool] = []
        beating = threading.Thread(target=lambda: answers.append(store.beat(node)))
        beating.start()
        beating.join(WAIT)
        assert answers == [True]


async def test_a_beat_that_fails_says_so_and_the_next_one_works(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        node = await store.register(node_info("n"), 0)
        assert store.beat(node)
        proxy.cut()
        with pytest.raises(StoreUnreachable):
            store.beat(node)
        proxy.restore()
        assert store.beat(node)


async def test_a_store_that_closes_ends_the_thread_of_its_beats(database: str) -> None:
    before = set(threading.enumerate())
    async with opened(database) as store:
        assert store.beat(await store.register(node_info("n"), 0))
        (thread,) = set(threading.enumerate()) - before
    assert not thread.is_alive()


async def test_a_node_that_was_rescued_leaves_no_lock_file(database: str, tmp_path: Path) -> None:
    async with opened(database, locks=tmp_path) as store, opened(database, locks=tmp_path) as other:
        end_process_of(store, await store.register(node_info("n"), 0))
        assert list(tmp_path.iterdir())
        assert [each.node for each in await other.rescue(0, 10.0)] == ["n"]
        assert list(tmp_path.iterdir()) == []


async def test_without_lock_files_a_dead_node_is_found_by_its_beats(database: str) -> None:
    clock = ManualClock()
    async with opened(database, clock) as store:
        dead, living = [await store.register(node_info(id), clock.now()) for id in ("dead", "living")]
        assert await store.rescue(clock.now(), 10.0) == []
        for _ in range(3):
            clock.advance(4)
            assert store.beat(living)
            await store.rescue(clock.now(), 10.0)
        told = {each.id: each.live for each in await store.nodes(clock.now())}
        assert told == {"dead": False, "living": True}
        assert not store.beat(dead)


async def test_a_node_that_beats_while_it_is_being_buried_lives(database: str) -> None:
    async with opened(database) as store, connected(database) as rescuer:
        node = await store.register(node_info("n"), 0)
        (seen,) = await drive(rescuer, Statements(), nodes.live_nodes())
        store.beat(node)
        async with rescuer.transaction():
            assert not await drive(rescuer, Statements(), nodes.end(seen.number, seen.beats, 0))
        assert store.beat(node)


async def test_what_a_rescue_that_was_cut_off_left_is_given_back_by_the_next(database: str) -> None:
    async with opened(database) as store, opened(database) as other:
        node = await store.register(node_info("n"), 0)
        await store.insert([new_job(IDS.mint(0), priority=3)], 0)
        (job,) = (await store.claim(claim_of(node), 0)).jobs
        await store.retire(node, 0)
        (rescued,) = await other.rescue(0, 10.0)
        assert (rescued.node, rescued.count) == ("", 1)
        read = await store.get(job.id, 0)
        assert read is not None
        assert read.status is Status.PENDING


async def test_claim_rows_of_the_dead_with_nothing_open_are_swept_up(database: str) -> None:
    async with opened(database) as store, connected(database) as other:
        node = await store.register(node_info("n"), 0)
        await store.retire(node, 0)
        columns = "batch, node, claimed_at, ids, numbers, attempts, lanes, crashes, interruptions"
        arrays = ", ".join(["'{}'"] * 6)
        await other.execute(f"INSERT INTO ferryman.claim ({columns}) VALUES (9, {node}, 0, {arrays})")
        assert await store.rescue(0, 10.0) == []
        assert await other.fetchval("SELECT count(*) FROM ferryman.claim") == 0


async def test_a_transaction_that_loses_its_connection_is_said_again(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        jobs = [new_job(IDS.mint(0)) for _ in range(2)]
        await store.insert(jobs[:1], 0, max_pending=9)
        proxy.swallow_replies()
        inserting = asyncio.create_task(store.insert(jobs[1:], 0, max_pending=9))
        assert await held(proxy.wait_for_reply)
        proxy.drop()
        proxy.thaw()
        assert [each.verdict for each in (await inserting).receipts] == [Verdict.INSERTED]
