"""Gates on PostgreSQL: letting in is a transaction of its own, so nobody's open transaction locks a gate for long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ferryman.domain.errors import StoreBusy, StoreUnreachable
from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.store.gating import Admitted
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.steps import ask
from ferryman.store.transactions import Entry
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
SEQUENCE = GateRule(strict=True)
WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def keyed(gate: GateRule | None = SEQUENCE, key: str = "k", **fields: Any) -> NewJob:
    return new_job(IDS.mint(0), key=key, gate=gate, **fields)


async def standing(store: PostgresStore, *jobs: NewJob) -> str:
    found = [await store.get(job.id, 0) for job in jobs]
    return "".join("-" if job is None else job.status.value[0] for job in found)


async def until_somebody_waits(asked: asyncio.Task[Any], url: str) -> None:
    async with connected(url) as looker:
        while not asked.done() and not await looker.fetch(WAITING):
            pass


async def test_jobs_in_an_open_transaction_lock_no_gate(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        first, second = keyed(), keyed()
        async with theirs.transaction():
            await store.joins.ainsert(theirs, Entry(False, lambda _: [first], 0, 0))
            await store.insert([second], 0)
            assert await standing(store, first, second) == "-p"
        assert await standing(store, first, second) == "wp"
        assert (await store.admit(0, 10)).count == 0


async def test_a_job_that_was_committed_with_a_transaction_is_let_in_by_the_next_look(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        job = keyed()
        async with theirs.transaction():
            await store.joins.ainsert(theirs, Entry(False, lambda _: [job], 0, 0))
        assert await standing(store, job) == "w"
        assert await store.admit(0, 10) == Admitted(1, None)
        assert await standing(store, job) == "p"


async def test_a_handlers_open_transaction_locks_no_gate(database: str) -> None:
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        jobs = [keyed(GateRule(concurrency=2)) for _ in range(4)]
        await store.insert(jobs, 0)
        first, second = (await store.claim(claim_of(node), 0)).jobs
        transaction = await store.transactions.begin(node, first, None, blocking=False)
        end = decide(second, Outcome(What.DONE), Run(7), 0)
        await store.finish(node, [end], 0)
        assert await standing(store, *jobs) == "pcpw"
        done = decide(first, Outcome(What.DONE), Run(8), 0)
        assert await transaction.finish(done, 0)
        assert await standing(store, *jobs) == "ccpw"
        # what the engine says afterwards of the outcome that the transaction has written
        assert (await store.finish(node, [done], 0)).readied
        assert await standing(store, *jobs) == "ccpp"


async def test_who_was_overlooked_is_found_key_by_key(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that brought them has died before it let them in."""
    async with opened(database) as store:
        jobs = [keyed(key=key) for key in "ccaabb"]
        await store._flow.insert(jobs, 0)
        assert await standing(store, *jobs) == "wwwwww"
        assert await store.admit(0, 2) == Admitted(2, None)
        assert await store.admit(0, 2) == Admitted(1, None)
        assert await standing(store, *jobs) == "pwpwpw"
        assert await store.admit(0, 2) == Admitted(0, None)


async def test_an_end_hands_its_slot_over_by_itself(database: str) -> None:
    """In its own transaction, so that nobody can die between the two; no gate is locked."""
    async with opened(database) as store, connected(database) as theirs:
        node = await store.register(node_info("n"), 0)
        jobs = [keyed(GateRule(concurrency=2), priority=n) for n in range(5)]
        await store.insert(jobs, 0)
        claimed = (await store.claim(claim_of(node), 0)).jobs
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.gate FOR UPDATE")
            ends = [decide(job, Outcome(What.DONE), Run(7), 0) for job in claimed]
            report, keys = await store._flow.finish(node, ends, 0)
        assert (report.readied, keys) == (True, frozenset())
        assert await standing(store, *jobs) == "ccppw"


async def test_an_end_whose_room_nobody_filled_is_found(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        node = await store.register(node_info("n"), 0)
        jobs = [keyed(), keyed(), keyed()]
        await store.insert(jobs, 0)
        (job,) = (await store.claim(claim_of(node), 0)).jobs
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.held WHERE id = $1 FOR UPDATE", jobs[1].id)
            report, keys = await store._flow.finish(node, [decide(job, Outcome(What.DONE), Run(7), 0)], 0)
        assert (report.readied, keys) == (False, frozenset({"k"}))
        assert await standing(store, *jobs) == "cww", "nobody passes one who is locked"
        assert (await store.admit(0, 10)).count == 1
        assert await standing(store, *jobs) == "cpw"


async def test_a_slot_is_not_handed_over_to_one_that_brings_another_rule(database: str) -> None:
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        jobs = [keyed(GateRule(concurrency=2)), keyed(GateRule(concurrency=2)), keyed(GateRule(concurrency=1))]
        await store.insert(jobs[:2], 0)
        await store._flow.insert(jobs[2:], 0)  # whoever brought it has died before its gate had the rule
        first, _ = (await store.claim(claim_of(node), 0)).jobs
        _, keys = await store._flow.finish(node, [decide(first, Outcome(What.DONE), Run(7), 0)], 0)
        assert keys == {"k"}
        assert (await store.admit(0, 10)).count == 0, "the rule is one at a time by now"
        assert await standing(store, *jobs) == "cpw"


async def test_who_changes_a_rule_waits_for_those_who_may_hand_slots_over_by_it(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        await store.insert([keyed()], 0)
        async with theirs.transaction():
            await theirs.execute("SELECT pg_advisory_xact_lock_shared('ferryman.gate'::regclass::oid::bigint)")
            pausing = asyncio.create_task(store.pause_key("k", True, 0))
            await until_somebody_waits(pausing, database)
            assert not pausing.done()
        await pausing


async def test_an_end_that_began_before_a_change_hands_nothing_over_by_the_old_rule(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        node = await store.register(node_info("n"), 0)
        jobs = [keyed(), keyed()]
        await store.insert(jobs, 0)
        (job,) = (await store.claim(claim_of(node), 0)).jobs
        async with theirs.transaction():
            await theirs.execute(store._statements["no_hand_over"])
            await theirs.execute("UPDATE ferryman.gate SET paused = true")
            ending = asyncio.create_task(store._flow.finish(node, [decide(job, Outcome(What.DONE), Run(7), 0)], 0))
            await until_somebody_waits(ending, database)
        report, keys = await ending
        assert (report.readied, keys) == (False, frozenset({"k"}))
        assert await standing(store, *jobs) == "cw"


async def test_a_gate_that_is_locked_keeps_no_enqueue_waiting_for_long(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        first, second = keyed(GateRule(concurrency=5)), keyed(GateRule(concurrency=5))
        await store.insert([first], 0)
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.gate FOR UPDATE")
            await store.insert([second], 0)
            assert await standing(store, first, second) == "pw"
        assert (await store.admit(0, 10)).count == 1


async def test_who_waited_for_a_gate_counts_anew(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        first, second = keyed(), keyed()
        await store._flow.insert([first, second], 0)
        await store._people.do(_made("k"))
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.gate FOR UPDATE")
            looking = asyncio.create_task(store.admit(0, 10))
            await until_somebody_waits(looking, database)
            await theirs.execute(
                "WITH gone AS (DELETE FROM ferryman.held WHERE id = $1 RETURNING *),"
                " rule AS (UPDATE ferryman.gate SET strict = true)"
                " INSERT INTO ferryman.slot (id, key, sequence) SELECT id, key, sequence FROM gone",
                first.id,
            )
        assert (await looking).count == 0
        assert await standing(store, second) == "w"


def _made(key: str) -> Any:
    return ask("make_gates", [key], True)


async def test_nobody_passes_a_job_that_is_being_cancelled(database: str) -> None:
    """The cancel may yet be rolled back, and then the order of the sequence would be broken."""
    async with opened(database) as store, connected(database) as theirs:
        first, second = keyed(), keyed()
        await store._flow.insert([first, second], 0)
        cancel = theirs.transaction()
        await cancel.start()
        await theirs.execute("SELECT FROM ferryman.held WHERE id = $1 FOR UPDATE", first.id)
        assert (await store.admit(0, 10)).count == 0
        await cancel.rollback()
        assert (await store.admit(0, 10)).count == 1
        assert await standing(store, first, second) == "pw"


async def test_a_key_that_is_forgotten_again_and_again_is_not_changed(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database) as store:
        transact, calls = store._people.transact, 0

        async def forgetting(steps: Any, seconds: float | None = None) -> Any:
            nonlocal calls
            calls += 1
            async with connected(database) as theirs:
                await theirs.execute("DELETE FROM ferryman.gate")
            return await transact(steps, seconds)

        monkeypatch.setattr(store._people, "transact", forgetting)
        with pytest.raises(StoreBusy, match="was forgotten"):
            await store.pause_key("k", True, 0)
        assert calls == 3


async def test_a_gate_in_use_is_not_forgotten(database: str) -> None:
    """Somebody is let in between the look and the grasp."""
    async with opened(database) as store, connected(database) as theirs:
        await store.pause_key("k", True, 0)
        await store.pause_key("k", False, 0)
        async with theirs.transaction():
            await theirs.execute("SELECT FROM ferryman.gate FOR UPDATE")
            await store.prune(0, 10)  # whoever lets in just now is not waited for
        assert await store.key("k") is not None
        await store.prune(0, 10)
        assert await store.key("k") is None


async def test_gates_are_looked_over_by_and_by(database: str) -> None:
    async with opened(database) as store:
        for key in "abc":
            await store.pause_key(key, True, 0)
            await store.pause_key(key, False, 0)
        left = []
        for _ in range(2):
            await store.prune(0, 2)
            left.append([each.key for each in await store.keys(None, 10)])
        assert left == [["c"], []]


async def test_a_failing_look_after_a_verb_fails_no_verb(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(database) as store:
        job = keyed()

        async def lost(*_: Any, **__: Any) -> int:
            raise StoreUnreachable("lost")

        with monkeypatch.context() as patch:
            patch.setattr(store._gates, "_let_in", lost)
            await store.insert([job], 0)
            assert await standing(store, job) == "w"
            with pytest.raises(StoreUnreachable):
                await store.admit(0, 10)
        assert (await store.admit(0, 10)).count == 1


async def test_the_slot_of_a_job_of_a_dropped_day_is_freed(database: str) -> None:
    async with opened(database) as store, connected(database) as theirs:
        old = "00000000-0000-7000-8000-000000000001"
        await store._people.do(_made("k"))
        await theirs.execute("INSERT INTO ferryman.slot (id, key, sequence) VALUES ($1, 'k', 1)", old)
        await store.prune(10**15, 10)
        assert await theirs.fetch("SELECT FROM ferryman.slot") == []
