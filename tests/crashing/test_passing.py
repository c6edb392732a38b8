"""`crash_test` finds nothing in a handler that is right; and what it tells besides."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ferryman import Context, Ferryman, Secret
from ferryman.crashing import What, crash_test
from tests.crashing.bank import Bank
from tests.crashing.world import OVERTAKEN, first, ledger, told, with_ledger

# -- what it does not find -------------------------------------------------------------------------


def test_a_transaction_passes_wherever_it_is_cut(app: Ferryman, bank: Bank) -> None:
    @app.job
    def receipt(amount: int) -> None: ...

    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        with ctx.transaction() as tx:
            tx.execute("INSERT INTO ledger VALUES (?)", (amount,))
            ctx.enqueue(receipt.call(amount))

    report = crash_test(app, pay.call(5), setup=with_ledger(bank), effects={"ledger": ledger})
    assert report.ok
    assert (report.missed, report.held) == ((), ())
    assert report.tried == report.met == 5


def test_a_transaction_of_a_coroutine_passes(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    async def pay(ctx: Context, amount: int) -> None:
        async with ctx.transaction() as tx:
            tx.execute("INSERT INTO ledger VALUES (?)", (amount,))

    assert crash_test(app, pay.call(5), setup=with_ledger(bank), effects={"ledger": ledger}, most=2).ok


def test_a_key_and_a_fence_pass(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    async def pay(ctx: Context, amount: int) -> None:
        await asyncio.to_thread(bank.charge, amount, key=ctx.job.id, claim=ctx.claim)

    # in less than a lease
    assert crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.charges}, timeout=8).ok


def test_a_handler_for_worker_processes_is_tested_in_a_thread(app: Ferryman, bank: Bank) -> None:
    def pay(amount: int) -> None:
        bank.charge(amount)

    pay.__qualname__ = "pay"
    job = app.job(process=True)(pay)
    report = crash_test(app, job.call(5), setup=bank.open, effects={"charges": bank.count}, most=1, check=False)
    assert not report.ok


def test_what_is_due_much_later_is_not_waited_for(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    def again(ctx: Context) -> None:
        ctx.enqueue(again.call().later(3600))

    assert crash_test(app, again.call(), effects={}, most=1).ok


def test_the_same_id_in_all_trials_lets_an_effect_name_the_job(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        bank.charge(amount, key=ctx.job.id)

    effects = {"keys": lambda _: [key for _, key, _ in bank.lines()]}
    assert crash_test(app, pay.call(5), setup=bank.open, effects=effects, most=1).ok


# -- what it tells ---------------------------------------------------------------------------------


def test_a_finding_is_raised_with_the_report_and_the_seed(app: Ferryman, bank: Bank) -> None:
    @app.job
    def pay(amount: int) -> None:
        bank.charge(amount)

    with pytest.raises(AssertionError) as raised:
        crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, most=1, seed=3)
    assert "crash_test of pay: " in str(raised.value)
    assert "doubled  2 instead of 1" in str(raised.value)
    assert "seed=3, most=1" in str(raised.value)


def test_secrets_of_other_jobs_are_not_shown(app: Ferryman, bank: Bank) -> None:
    @app.job
    def receipt(card: Secret[str]) -> None: ...

    @app.job
    async def pay(amount: int) -> None:
        await receipt.aenqueue(Secret("4111"))

    report = crash_test(app, pay.call(5), effects={}, most=2, seed=5, check=False)
    assert first(report).got == (("receipt", '{"card":"***"}'),) * 2


def test_points_that_are_not_met_again_are_told(app: Ferryman, bank: Bank, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()

    def is_new() -> bool:
        """Whether this is the first run of all."""
        new = not any(runs.iterdir())
        (runs / "one").touch()
        return new

    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        if is_new():
            bank.charge(amount, key=ctx.job.id)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, check=False)
    assert {each.line for each in report.missed} == {pay.__wrapped__.__code__.co_firstlineno + 3}
    assert "Not reached again, at test_passing.py:" in str(report)


def test_points_at_which_the_handler_holds_the_file_are_told(app: Ferryman, bank: Bank) -> None:
    @app.job
    def pay(amount: int) -> None:
        with closing(sqlite3.connect(bank.path.with_name("jobs.db"))) as connection, connection:
            connection.execute("INSERT INTO ledger VALUES (?)", (amount,))

    report = crash_test(app, pay.call(5), setup=with_ledger(bank), effects={"ledger": ledger}, check=False)
    assert [(each.line, each.nth) for each in report.held] == [(pay.__wrapped__.__code__.co_firstlineno + 2, 2)]
    assert "Not overtaken, at test_passing.py:" in str(report)
    assert told(report, OVERTAKEN, "ledger") == {("doubled", What.BEFORE), ("doubled", What.END)}


def test_an_effect_that_nothing_changes_is_told(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        bank.charge(amount, key=ctx.job.id)

    effects = {"charges": bank.count, "nothing": lambda _: 0}
    report = crash_test(app, pay.call(5), setup=bank.open, effects=effects, most=1)
    assert report.unchanged == ("nothing",)


def test_an_app_that_is_in_use_goes_on_as_before(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        bank.charge(amount, key=ctx.job.id)

    before = pay.enqueue(1)
    crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, most=1)
    assert before.status() == pay.enqueue(2).status() == "pending"
