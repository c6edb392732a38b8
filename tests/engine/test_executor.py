"""Every way in which a handler can end, on the loop and in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from ferryman.domain.events import StaleStart
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.retry import Fixed, RetryPolicy, policy
from ferryman.domain.state import Status
from ferryman.engine import endings
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.heartbeat import Lease
from ferryman.engine.registry import Handler
from ferryman.engine.running import Reason
from ferryman.engine.signals import Cancel, Retry, Snooze
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, claimed_job, handler, pause

pytestmark = pytest.mark.anyio


class Broken(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class NotOurs(BaseException):
    pass


def returns(value: Any) -> Callable[[], Any]:
    return lambda: value


def raises(error: BaseException) -> Callable[[], Any]:
    def do() -> Any:
        raise error

    return do


def deep() -> Any:
    return deep()


Check = Callable[[Outcome], bool]


def failed(code: str, type: str, message: str = "", *, retryable: bool = True, delay: float | None = 1.0) -> Check:
    def check(outcome: Outcome) -> bool:
        error = outcome.error
        assert error is not None
        assert (outcome.what, error.code, error.type) == (What.FAILED, code, type)
        assert message in error.message
        assert (outcome.retryable, outcome.delay) == (retryable, delay if retryable else None)
        return True

    return check


def done(result: str) -> Check:
    return lambda outcome: (outcome.what, outcome.result, outcome.error) == (What.DONE, result, None)


TABLE: list[tuple[str, Callable[[], Any], Check]] = [
    ("nothing", returns(None), done("null")),
    ("json", returns({"a": [1, "ä"]}), done('{"a":[1,"ä"]}')),
    ("exception", raises(ValueError("bad")), failed("FM501", "ValueError", "bad")),
    ("assertion", raises(AssertionError()), failed("FM501", "AssertionError")),
    ("group", raises(ExceptionGroup("many", [KeyError("a")])), failed("FM501", "ExceptionGroup", "many")),
    ("stop iteration", raises(StopIteration(3)), failed("FM501", "RuntimeError")),
    ("recursion", deep, failed("FM501", "RecursionError")),
    ("timeout of its own", raises(TimeoutError("theirs")), failed("FM501", "TimeoutError", "theirs")),
    ("cancelled by nobody", raises(asyncio.CancelledError()), failed("FM501", "CancelledError")),
    ("text that cannot be printed", raises(Broken()), failed("FM501", "Broken", "cannot be printed")),
    ("text that no store takes", raises(ValueError("\0 \udcff")), failed("FM501", "ValueError", "\\x00 \\udcff")),
    ("system exit", raises(SystemExit(3)), failed("FM509", "SystemExit", "3")),
    ("keyboard interrupt", raises(KeyboardInterrupt()), failed("FM509", "KeyboardInterrupt")),
    ("generator exit", raises(GeneratorExit()), failed("FM509", "GeneratorExit")),
    ("base exception", raises(NotOurs("odd")), failed("FM509", "NotOurs", "odd")),
    ("base group", raises(BaseExceptionGroup("x", [SystemExit(1)])), failed("FM509", "BaseExceptionGroup")),
    ("snooze", raises(Snooze(30)), lambda outcome: (outcome.what, outcome.delay) == (What.SNOOZED, 30.0)),
    ("cancel", raises(Cancel()), lambda outcome: outcome == Outcome(What.CANCELLED)),
    (
        "cancel with a reason",
        raises(Cancel("not wanted")),
        lambda outcome: (
            outcome.what is What.CANCELLED
            and outcome.error is not None
            and (outcome.error.code, outcome.error.message) == ("FM514", "not wanted")
        ),
    ),
    ("retry", raises(Retry()), failed("FM501", "Retry", "Try again")),
    ("retry later", raises(Retry(90)), failed("FM501", "Retry", "90", delay=90.0)),
    ("no json", returns(object()), failed("FM503", "ResultNotSerialisable", "object", retryable=False)),
    ("not a number", returns(float("nan")), failed("FM503", "ResultNotSerialisable", retryable=False)),
    ("too large", returns("x" * 2000), failed("FM504", "ResultTooLarge", "2002", retryable=False)),
    ("too large in bytes", returns("ä" * 600), failed("FM504", "ResultTooLarge", "1202", retryable=False)),
    ("no more tries", raises(PermissionError("no")), failed("FM501", "PermissionError", "no", retryable=False)),
]
RETRY = policy(1.0, never=[PermissionError])


@pytest.mark.parametrize("suspends", [False, True], ids=["at once", "after a wait"])
@pytest.mark.parametrize(("how", "check"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_each_way_in_which_a_coroutine_can_end(how: Callable[[], Any], check: Check, suspends: bool) -> None:
    async def play() -> None:
        async def job() -> Any:
            if suspends:
                await pause(1)
            return how()

        async def noop() -> None:
            pass

        async with Bench(handler(job, retry=RETRY), noop, workers=1, max_result=1000) as bench:
            await bench.enqueue("job", max_attempts=2)
            await bench.enqueue("noop")
            await bench.until_ended(2)
            first, second = bench.ended
            assert check(first.outcome)
            assert second.outcome.what is What.DONE, "the worker goes on"
            assert first.finish.worker == second.finish.worker == 1

    run_virtual(play())


@pytest.mark.parametrize(("how", "check"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_each_way_in_which_a_function_in_a_thread_can_end(how: Callable[[], Any], check: Check) -> None:
    def job() -> Any:
        return how()

    def noop() -> None:
        pass

    async with Bench(handler(job, retry=RETRY), noop, workers=1, max_result=1000, clock=SystemClock()) as bench:
        await bench.enqueue("job", max_attempts=2)
        await bench.enqueue("noop")
        await bench.until_ended(2)
        first, second = bench.ended
        if isinstance(first.outcome.error and first.outcome.error.type, str) and "StopIteration" in str(first.outcome):
            assert first.outcome.error is not None
            assert first.outcome.error.code == "FM501", "a coroutine turns it into a RuntimeError, a function does not"
        else:
            assert check(first.outcome)
        assert second.outcome.what is What.DONE


def test_the_traceback_begins_at_the_handler_and_is_bounded() -> None:
    async def play() -> None:
        async def job() -> None:
            await pause(1)
            helper(10)

        def helper(n: int) -> None:
            if n == 0:
                raise ValueError("x" * 100_000)
            helper(n - 1)

        async with Bench(job, workers=1) as bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
            error = bench.ended[0].outcome.error
            assert error is not None
            assert error.traceback is not None
            assert len(error.traceback) <= endings.TRACEBACK_MAX
            assert len(error.message) <= endings.MESSAGE_MAX

        async def short() -> None:
            await pause(1)
            raise KeyError("lost")

        async with Bench(short, workers=1) as bench:
            await bench.enqueue("short")
            await bench.until_ended(1)
            error = bench.ended[0].outcome.error
            assert error is not None
            assert error.traceback is not None
            lines = error.traceback.splitlines()
            assert lines[0] == "Traceback (most recent call last):"
            assert "in short" in lines[1]
            assert "trampoline" not in error.traceback
            assert lines[-1] == "KeyError: 'lost'"

    run_virtual(play())


async def test_the_traceback_of_a_thread_begins_at_the_handler() -> None:
    def job() -> None:
        raise KeyError("lost")

    async with Bench(job, workers=1, clock=SystemClock()) as bench:
        await bench.enqueue("job")
        await bench.until_ended(1)
        error = bench.ended[0].outcome.error
        assert error is not None
        assert error.traceback is not None
        assert "in job" in error.traceback.splitlines()[1]


def test_a_payload_that_does_not_fit_fails_for_good_and_starts_nothing() -> None:
    async def play() -> None:
        started: list[int] = []

        async def job(n: int) -> None:
            started.append(n)

        async with Bench(job) as bench:
            (id,) = await bench.enqueue("job", '{"m": 1}')
            await bench.until_ended(1)
            job_ = await bench.job(id)
            assert (job_.status, job_.attempt) == (Status.FAILED, 1)
            assert job_.error is not None
            assert job_.error.code == "FM508"
            assert "n" in job_.error.message
            assert not started

    run_virtual(play())


def test_an_expired_job_is_cancelled_and_starts_nothing() -> None:
    async def play() -> None:
        started: list[int] = []

        async def job() -> None:
            started.append(1)

        async with Bench(job) as bench:
            life = bench.node._life
            assert life is not None
            life.channel.send_nowait(claimed_job("job", expires_at=bench.clock.now()))
            await bench.until(lambda: bool(bench.fenced))
            assert not started
            outcome = bench.fenced[0].outcome
            assert outcome.what is What.CANCELLED
            assert outcome.error is not None
            assert outcome.error.code == "FM510"
            finish = bench.fenced[0].finish
            assert (finish.started_at, finish.worker) == (None, None), "nobody ran it"

    run_virtual(play())


def test_a_claim_that_the_node_cannot_vouch_for_is_not_started_but_released() -> None:
    async def play() -> None:
        started: list[int] = []

        async def job() -> None:
            started.append(1)

        async with Bench(job, lease=10.0, beat=2.0) as bench:
            life = bench.node._life
            assert life is not None
            lapsed = Lease()  # between the claim and the start; the dispatcher still trusts its own
            lapsed.until = bench.loop.time()
            life.pool._executor._lease = lapsed
            (id,) = await bench.enqueue("job")
            await bench.until(lambda: any(isinstance(event, StaleStart) for event in bench.events))
            assert not started
            lapsed.until = float("inf")
            await bench.until(lambda: any(run.outcome.what is What.DONE for run in bench.ended))
            assert bench.ended[0].outcome.what is What.RELEASED
            job_ = await bench.job(id)
            assert (job_.status, job_.attempt) == (Status.COMPLETED, 1), "a release spends no attempt"

    run_virtual(play())


def test_a_type_without_handler_is_released_not_failed() -> None:
    async def play() -> None:
        async def job() -> None:
            pass

        async with Bench(job) as bench:
            life = bench.node._life
            assert life is not None
            life.channel.send_nowait(claimed_job("unknown"))
            await bench.until(lambda: bool(bench.fenced))
            assert bench.fenced[0].outcome.what is What.RELEASED

    run_virtual(play())


def test_context_variables_do_not_leak_between_jobs_of_a_worker() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="clean")
    seen: list[str] = []

    async def play() -> None:
        async def job() -> None:
            seen.append(variable.get())
            variable.set("dirty")
            await pause(1)
            seen.append(variable.get())

        async with Bench(job, workers=1) as bench:
            await bench.enqueue("job", count=2)
            await bench.until_ended(2)

    run_virtual(play())
    assert seen == ["clean", "dirty", "clean", "dirty"]


async def test_context_variables_do_not_leak_between_jobs_of_a_thread() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="clean")
    seen: list[str] = []

    def job() -> None:
        seen.append(variable.get())
        variable.set("dirty")

    async with Bench(job, workers=1, clock=SystemClock()) as bench:
        await bench.enqueue("job", count=2)
        await bench.until_ended(2)
    assert seen == ["clean", "clean"]


def test_the_context_tells_the_handler_about_its_run() -> None:
    told: list[Any] = []

    async def play() -> None:
        async def job(ctx: Context, n: int) -> None:
            view = ctx.job
            assert view.run_at is None
            told.extend([view.id, view.type, view.queue, view.priority, view.payload, view.attempt])
            told.extend([view.max_attempts, view.tags, view.created_at.timestamp()])
            told.extend([ctx.claim, ctx.attempt, ctx.deadline, ctx.cancelled, n])

        async with Bench(handler(job, timeout=7.0)) as bench:
            now = bench.clock.now()
            (id,) = await bench.enqueue("job", '{"n": 3}', tags=("a",))
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.DONE
            assert told == [
                id, "job", "default", 5, {"n": 3}, 1, 5, ("a",), now / 1_000_000, 1, 1, 7.0, False, 3,
            ]  # fmt: skip

    run_virtual(play())


@pytest.mark.parametrize(
    ("job_timeout", "declared", "expected"),
    [(None, "default", 60.0), (None, 5.0, 5.0), (None, None, None), (2.0, 5.0, 2.0), (2.0, None, 2.0)],
)
def test_the_timeout_is_the_jobs_then_the_handlers_then_the_default(
    job_timeout: float | None, declared: Any, expected: float | None
) -> None:
    async def play() -> None:
        deadlines: list[float | None] = []

        async def job(ctx: Context) -> None:
            deadlines.append(ctx.deadline)

        async with Bench(handler(job, timeout=declared), default_timeout=60.0) as bench:
            await bench.enqueue("job", timeout=job_timeout)
            await bench.until_ended(1)
            assert deadlines == [expected]

    run_virtual(play())


def test_a_traceback_that_cannot_be_printed_harms_nobody() -> None:
    class Hostile(Exception):
        @property
        def __cause__(self) -> BaseException:  # type: ignore[override]
            raise RuntimeError("no cause")

    assert endings.traceback_of(Hostile()) == "The traceback cannot be printed: RuntimeError."


def test_retry_does_not_ask_the_rules() -> None:
    never = RetryPolicy(Fixed(4.0), ((Exception, None),))
    outcome = endings.raised(Retry(), claimed_job(), never, 0.5)
    assert (outcome.retryable, outcome.delay) == (True, 4.0)


def test_a_rule_for_timeout_errors_fits_our_timeout() -> None:
    never: Handler = handler(test_retry_does_not_ask_the_rules, retry=policy(1.0, never=[TimeoutError]))
    outcome = endings.cut_off(Reason.TIMEOUT, None, 3.0, claimed_job(), never.retry, 0.5)
    assert (outcome.what, outcome.retryable) == (What.FAILED, False)
    assert outcome.error is not None
    assert outcome.error.message == "The handler ran longer than its timeout of 3 s."
