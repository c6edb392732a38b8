"""`crash_test` finds what is wrong with a handler. Real nodes, really killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ferryman import Context, Ferryman
from ferryman.crashing import What, crash_test
from tests.crashing.bank import Bank
from tests.crashing.world import KILLED, OVERTAKEN, TWICE, first, told


def test_a_charge_without_a_key_is_doubled_by_a_kill_behind_it(app: Ferryman, bank: Bank) -> None:
    @app.job
    def pay(amount: int) -> None:
        bank.charge(amount)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.charges}, check=False)
    assert (report.met, report.tried) == (2, 2), "the line, and the end"
    assert told(report, KILLED, "charges") == {("doubled", What.END)}
    found = first(report)
    assert (found.expected, found.got, found.detail) == ((5,), (5, 5), "5: 2 instead of 1")
    assert Path(found.points[0].file) == Path(__file__)
    assert found.points[0].line == pay.__wrapped__.__code__.co_firstlineno + 2
    assert told(report, OVERTAKEN, "charges") == {("doubled", What.BEFORE), ("doubled", What.END)}
    assert not report.ok


def test_two_kills_charge_three_times(app: Ferryman, bank: Bank) -> None:
    @app.job
    def pay(amount: int) -> None:
        bank.charge(amount)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"n": bank.count}, most=1, seed=5, check=False)
    twice = [each for each in report.findings if each.scenario is TWICE]
    assert [(each.got, [point.what for point in each.points]) for each in twice] == [(3, [What.END, What.END])]


def test_a_coroutine_is_killed_while_it_waits(app: Ferryman, bank: Bank) -> None:
    @app.job
    async def pay(amount: int) -> None:
        bank.charge(amount)
        await asyncio.sleep(0)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, check=False)
    assert told(report, KILLED, "charges") == {("doubled", what) for what in What}
    assert {(found.expected, found.got) for found in report.findings if found.scenario is KILLED} == {(1, 2)}
    assert ("doubled", What.AWAIT) in told(report, OVERTAKEN, "charges")


def test_what_is_marked_as_done_before_it_is_done_gets_lost(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        if bank.mark():
            bank.charge(amount, key=ctx.job.id)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.charges}, check=False)
    assert told(report, KILLED, "charges") == {("lost", What.BEFORE)}
    assert first(report).detail == "5: 0 instead of 1"
    assert not told(report, OVERTAKEN, "charges")


def test_only_an_overtaken_run_shows_a_look_before_the_leap(app: Ferryman, bank: Bank) -> None:
    @app.job
    def pay(amount: int) -> None:
        if not bank.lines():
            bank.charge(amount)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.charges}, check=False)
    assert not told(report, KILLED, "charges")
    assert told(report, OVERTAKEN, "charges") == {("doubled", What.BEFORE)}


def test_an_overtaken_run_goes_on_and_does_not_know(bank: Bank, tmp_path: Path) -> None:
    app = Ferryman(f"sqlite:///{tmp_path}/none.db", lease=0.3, beat=0.05)  # a node that beats would be told in between

    @app.job
    async def pay(amount: int) -> None:
        if not bank.lines():
            await asyncio.sleep(0.3)
            bank.charge(amount)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"n": bank.count}, most=1, seed=7, check=False)
    assert told(report, OVERTAKEN, "n") == {("doubled", What.AWAIT)}
    assert not (tmp_path / "none.db").exists()


def test_what_follows_a_transaction_gets_lost(app: Ferryman, bank: Bank) -> None:
    """It is done while the node stops: the job has completed."""

    @app.job
    def receipt(amount: int) -> None:
        bank.charge(amount, key="receipt")

    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        with ctx.transaction() as tx:
            tx.result = amount
        bank.ponder()
        receipt.enqueue(amount)

    effects = {"receipts": bank.count}
    report = crash_test(app, pay.call(5), setup=bank.open, effects=effects, most=1, check=False)
    killed = [each for each in report.findings if each.scenario is KILLED]
    assert {(each.effect, each.what) for each in killed} == {("receipts", "lost"), ("jobs", "lost")}
    assert {each.expected for each in killed if each.effect == "receipts"} == {1}


def test_jobs_that_are_just_enqueued_are_doubled_and_follow_ups_are_not(app: Ferryman, bank: Bank) -> None:
    @app.job
    def receipt(amount: int) -> None:
        bank.charge(amount, key="receipt")

    @app.job
    async def careless(amount: int) -> None:
        await receipt.aenqueue(amount)

    @app.job_with_context
    async def careful(ctx: Context, amount: int) -> None:
        ctx.enqueue(receipt.call(amount))

    effects = {"receipts": bank.count}
    report = crash_test(app, careless.call(5), setup=bank.open, effects=effects, most=2, seed=5, check=False)
    assert told(report, KILLED, "jobs") == {("doubled", What.END)}
    assert first(report).got == (("receipt", '{"amount":5}'),) * 2
    assert {found.effect for found in report.findings} == {"jobs"}, "the receipt itself is sent once"
    assert crash_test(app, careful.call(5), setup=bank.open, effects=effects).ok


def test_a_job_that_does_not_survive_a_kill_is_found(app: Ferryman, bank: Bank) -> None:
    @app.job(max_attempts=1)
    def pay(amount: int) -> None:
        bank.charge(amount)

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, most=1, check=False)
    assert told(report, KILLED) == {("failed", first(report).points[0].what)}
    assert first(report).detail.startswith("FM505 RunLost: ")


def test_a_run_that_hangs_after_a_kill_is_found(app: Ferryman, bank: Bank) -> None:
    @app.job
    async def pay(amount: int) -> None:
        if bank.lines():
            await asyncio.Event().wait()
        bank.charge(amount)

    report = crash_test(
        app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, most=1, seed=5, timeout=1, check=False
    )
    assert told(report, KILLED) == {("hung", What.END)}
    assert first(report).detail == "not at rest after 1 s"


def test_a_process_that_ends_by_itself_is_found(app: Ferryman, bank: Bank) -> None:
    @app.job_with_context
    def pay(ctx: Context, amount: int) -> None:
        bank.charge(amount, key=ctx.job.id)
        if ctx.attempt > 1:
            bank.die()

    report = crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, most=1, check=False)
    assert {each.what for each in report.findings if each.scenario is KILLED} == {"died"}
