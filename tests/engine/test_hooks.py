"""Startup and shutdown, middleware, on_failure: what they may do, and what they cannot do to the engine."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from ferryman.domain.errors import (
    BadHandler,
    HandlerRaised,
    HandlerTimedOut,
    PayloadMismatch,
    ResultNotSerialisable,
    StartupFailed,
)
from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.retry import policy
from ferryman.domain.state import Status
from ferryman.engine import bounded
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.failing import cause
from ferryman.engine.hooks import Hooks
from ferryman.engine.running import Reason
from ferryman.engine.signals import Cancel, Retry, Snooze
from ferryman.engine.threads import ThreadCall
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.test_stopping_handlers import cancel, code, for_ever, healthy, life_of, noop, probe
from tests.engine.world import Bench, handler, pause, turns

pytestmark = pytest.mark.anyio

Next = Callable[[], Awaitable[Any]]


def hooks_of(bench: Bench) -> Hooks:
    return bench.world.registry.hooks


# -- what can be a hook ------------------------------------------------------------------------------


async def takes_two(ctx: Context, other: Any) -> None:
    pass


def plain_two(ctx: Context, other: Any) -> None:
    pass


def takes_none() -> None:
    pass


def generates() -> Any:
    yield


async def generates_later() -> Any:
    yield


class Callables:
    async def __call__(self, ctx: Context, call_next: Next) -> Any:
        return await call_next()

    async def method(self, ctx: Context, call_next: Next) -> Any:
        return await call_next()


def test_what_fits_is_taken_and_given_back_unchanged() -> None:
    hooks = Hooks()
    callables = Callables()
    assert hooks.on_startup(takes_none) is takes_none
    assert hooks.on_shutdown(noop) is noop
    assert hooks.on_failure(plain_two) is plain_two
    assert hooks.on_failure(takes_two) is takes_two
    for each in (takes_two, callables, callables.method, functools.partial(takes_two)):
        assert hooks.add_middleware(each) is each
    assert (len(hooks.startup), len(hooks.shutdown), len(hooks.middleware), len(hooks.failure)) == (1, 1, 4, 2)


@pytest.mark.parametrize(
    ("verb", "function", "told"),
    [
        ("on_startup", plain_two, "takes no parameters"),
        ("on_startup", lambda n=1: n, "takes no parameters"),
        ("on_startup", lambda *rest: rest, "takes no parameters"),
        ("on_startup", generates, "`yield`"),
        ("on_shutdown", generates_later, "`yield`"),
        ("on_shutdown", 7, "not int"),
        ("on_failure", takes_none, "2 parameters"),
        ("on_failure", lambda ctx, *, error: None, "2 parameters"),
        ("on_failure", type, "parameters are unknown"),
        ("add_middleware", plain_two, "no `async def`"),
        ("add_middleware", noop, "2 parameters"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_declaration(verb: str, function: Any, told: str) -> None:
    hooks = Hooks()
    with pytest.raises(BadHandler, match=told) as caught:
        getattr(hooks, verb)(function)
    assert caught.value.hint
    assert not any((hooks.startup, hooks.shutdown, hooks.middleware, hooks.failure))


# -- startup and shutdown ----------------------------------------------------------------------------


def test_startup_hooks_run_before_anything_is_registered_and_shutdown_hooks_after_the_last_outcome() -> None:
    happened: list[str] = []

    async def play() -> None:
        bench = Bench(job, workers=1)
        hooks, store = hooks_of(bench), bench.store

        @hooks.on_startup
        def first() -> None:
            assert asyncio.get_running_loop() is bench.loop
            happened.append(f"first {store.calls}")

        @hooks.on_startup
        async def second() -> None:
            await pause(100.0)
            happened.append("second")

        @hooks.on_shutdown
        async def last() -> None:
            await pause(1.0)
            happened.append(f"last {(await bench.job(id)).status} {store.calls[-1]}")

        @hooks.on_shutdown
        def before_last() -> None:
            happened.append("before last")

        async with bench:
            (id,) = await bench.enqueue("job")
            await turns()
            assert happened == ["first []", "second", "job"]

    async def job() -> None:
        happened.append("job")
        await pause(2.0)

    run_virtual(play())
    assert happened[3:] == ["before last", "last completed retire"]


@pytest.mark.parametrize("error", [OSError("no\nserver"), SystemExit(3), asyncio.CancelledError()])
def test_a_startup_hook_that_raises_ends_the_start_and_what_had_started_is_shut_down(error: BaseException) -> None:
    async def play() -> None:
        bench = Bench(noop)
        hooks = hooks_of(bench)
        happened: list[str] = []
        hooks.on_startup(lambda: happened.append("one"))

        @hooks.on_startup
        async def connects() -> None:
            await pause(1.0)
            raise error

        hooks.on_startup(lambda: happened.append("three"))
        hooks.on_shutdown(lambda: happened.append("end of one"))
        hooks.on_shutdown(lambda: happened.append("end of three"))
        with pytest.raises(StartupFailed) as caught:
            await bench.node.start()
        assert happened == ["one", "end of three", "end of one"]
        assert "connects" in caught.value.what
        assert "test_hooks.py" in caught.value.what
        assert type(error).__name__ in caught.value.why
        assert "raise error" in caught.value.why
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is error
        assert bench.store.calls == []
        await bench.node.stop()
        assert len(happened) == 3, "nothing is shut down twice"

    run_virtual(play())


def test_where_nothing_had_started_nothing_is_shut_down() -> None:
    async def play() -> None:
        bench = Bench(noop)
        happened: list[str] = []
        hooks_of(bench).on_startup(lambda: 1 / 0)
        hooks_of(bench).on_shutdown(lambda: happened.append("end"))
        with pytest.raises(StartupFailed, match="ZeroDivisionError"):
            await bench.node.start()
        assert not happened

    run_virtual(play())


def test_a_start_that_is_cancelled_is_no_failure_of_its_hook() -> None:
    async def play() -> None:
        bench = Bench(noop)
        hooks_of(bench).on_startup(for_ever)
        starting = asyncio.ensure_future(bench.node.start())
        await turns()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    run_virtual(play())


def test_a_shutdown_hook_that_fails_or_hangs_keeps_no_other_from_being_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def play() -> None:
        bench = Bench(noop)
        hooks = hooks_of(bench)
        happened: list[str] = []
        hooks.on_shutdown(lambda: happened.append("called"))

        @hooks.on_shutdown
        async def swallows() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    happened.append(f"told at {bench.loop.time() - stopped:g}")
                    if len(happened) > 5:
                        raise

        @hooks.on_shutdown
        async def hangs() -> None:
            await asyncio.Event().wait()

        @hooks.on_shutdown
        async def exits() -> None:
            await pause(1.0)
            raise SystemExit(7)

        await bench.node.start()
        stopped = bench.loop.time()
        await bench.node.stop()
        assert happened == ["told at 11", "called"]
        assert bench.loop.time() - stopped == pytest.approx(1.0 + 5.0 + 5.0 + bounded.GRACE)
        happened.extend(["", "", "", ""])  # lets it end

    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        run_virtual(play())
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert "exits" in told[0]
    assert all("longer than 5 s" in line for line in told[1:])


# -- middleware --------------------------------------------------------------------------------------

variable: ContextVar[str] = ContextVar("variable", default="unset")
KINDS = ["async def", "def"]


def as_kind(kind: str, function: Callable[..., Any], name: str = "job") -> Any:
    """The function as a handler of either kind."""
    if kind == "def":

        def job(ctx: Context, n: int = 0) -> Any:
            return function(ctx, n)

        return job

    async def ajob(ctx: Context, n: int = 0) -> Any:
        return function(ctx, n)

    ajob.__name__ = name
    return ajob


def real(kind: str, *handlers: Any, **options: Any) -> Bench:
    """A bench in real time, where threads can be waited for."""
    return Bench(*handlers, clock=SystemClock(), **{"workers": 1, **options})


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_wraps_every_run_the_first_one_outermost(kind: str) -> None:
    happened: list[str] = []

    def work(ctx: Context, n: int) -> int:
        happened.append(f"job {variable.get()} {n} {ctx.attempt}")
        return n

    async with real(kind, as_kind(kind, work)) as bench:
        hooks = hooks_of(bench)

        @hooks.add_middleware
        async def outer(ctx: Context, call_next: Next) -> Any:
            token = variable.set(ctx.job.id)
            await asyncio.wait((asyncio.ensure_future(noop()),))
            happened.append("outer")
            result = await call_next()
            happened.append(f"outer again {variable.get() == ctx.job.id}")
            variable.reset(token)
            return result + 1

        @hooks.add_middleware
        async def inner(ctx: Context, call_next: Next) -> Any:
            happened.append("inner")
            return 10 * await call_next()

        (id,) = await bench.enqueue("job", '{"n": 3}')
        await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.DONE, result="31")
        assert happened == ["outer", "inner", f"job {id} 3 1", "outer again True"]


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_may_skip_the_handler_and_raise_in_its_place(kind: str) -> None:
    ran: list[int] = []
    job = handler(as_kind(kind, lambda ctx, n: ran.append(n)), retry=policy(1.0, never=[PermissionError]))
    async with real(kind, job) as bench:

        @hooks_of(bench).add_middleware
        async def gate(ctx: Context, call_next: Next) -> Any:
            match ctx.job.payload["n"]:
                case 1:
                    return "skipped"
                case 2:
                    raise PermissionError("not today")
                case 3:
                    raise Snooze(600)
                case 4:
                    raise Cancel("no")
            return await call_next()

        for n in range(1, 6):
            await bench.enqueue("job", f'{{"n": {n}}}')
        await bench.until_ended(5)
        skipped, refused, snoozed, cancelled, done = [run.outcome for run in bench.ended]
        assert skipped.result == '"skipped"'
        assert (refused.what, code(refused), refused.retryable) == (What.FAILED, "FM501", False)
        assert (snoozed.what, snoozed.delay, cancelled.what, done.what) == (
            What.SNOOZED,
            600.0,
            What.CANCELLED,
            What.DONE,
        )
        assert ran == [5]


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_sees_what_the_handler_raises_and_may_make_something_else_of_it(kind: str) -> None:
    def work(ctx: Context, n: int) -> None:
        raise KeyError(n)

    async with real(kind, as_kind(kind, work)) as bench:

        @hooks_of(bench).add_middleware
        async def translate(ctx: Context, call_next: Next) -> Any:
            try:
                return await call_next()
            except KeyError as error:
                if error.args[0]:
                    return f"no {error}"
                raise

        await bench.enqueue("job", '{"n": 7}')
        await bench.enqueue("job", max_attempts=1)
        await bench.until_ended(2)
        assert bench.ended[0].outcome.result == '"no 7"'
        error = bench.ended[1].outcome.error
        assert error is not None
        assert (error.code, error.type) == ("FM501", "KeyError")
        assert error.traceback is not None
        assert "in translate" in error.traceback.splitlines()[1]
        assert "in work" in error.traceback


@pytest.mark.parametrize("kind", KINDS)
async def test_the_handler_runs_at_most_once_per_run(kind: str) -> None:
    ran: list[int] = []
    async with real(kind, as_kind(kind, lambda ctx, n: ran.append(n))) as bench:

        @hooks_of(bench).add_middleware
        async def twice(ctx: Context, call_next: Next) -> Any:
            await call_next()
            return await call_next()

        await bench.enqueue("job", max_attempts=1)
        await bench.until_ended(1)
        error = bench.ended[0].outcome.error
        assert error is not None
        assert "twice" in error.message
        assert ran == [0]


# -- stopping a run whose middleware waits -----------------------------------------------------------

WHERE = ["before", "after"]


def waiting(bench: Bench, where: str, wait: Callable[[], Awaitable[Any]]) -> None:
    @hooks_of(bench).add_middleware
    async def waits(ctx: Context, call_next: Next) -> Any:
        if ctx.job.type == "probe":
            return await call_next()
        if where == "before":
            await wait()
        result = await call_next()
        if where == "after":
            await wait()
        return result


@pytest.mark.parametrize("where", WHERE)
def test_a_timeout_ends_a_run_whose_middleware_waits(where: str) -> None:
    async def play() -> None:
        ran: list[int] = []

        async def job() -> None:
            ran.append(1)

        async with Bench(handler(job, timeout=3.0), probe, workers=1) as bench:
            waiting(bench, where, asyncio.Event().wait)
            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(3.0)
            assert code(bench.ended[0].outcome) == "FM502"
            assert ran == ([] if where == "before" else [1])
            await healthy(bench)

    run_virtual(play())


@pytest.mark.parametrize("where", WHERE)
async def test_a_cancel_ends_a_run_whose_middleware_waits_around_a_thread(where: str) -> None:
    ran: list[int] = []
    reached = asyncio.Event()

    def job() -> None:
        ran.append(1)

    async def wait() -> None:
        reached.set()
        await asyncio.Event().wait()

    async with real("def", job, probe) as bench:
        waiting(bench, where, wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
        (running,) = life_of(bench).pool.running()
        assert running.call is None
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome.what is What.CANCELLED
        assert ran == ([] if where == "before" else [1])
        await healthy(bench)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", WHERE)
async def test_a_stop_interrupts_a_run_whose_middleware_waits(kind: str, where: str) -> None:
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        await asyncio.Event().wait()

    bench = real(kind, as_kind(kind, lambda ctx, n: n), stop_deadline=0.01)
    async with bench:
        waiting(bench, where, wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
    assert bench.ended[0].outcome.what is What.INTERRUPTED
    assert (await bench.job(id)).status is Status.PENDING


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_that_swallows_its_cancellation_does_not_get_to_the_handler(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with real(kind, as_kind(kind, lambda ctx, n: ran.append(n))) as bench:
        waiting(bench, "before", wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome.what is What.CANCELLED
        assert not ran


@pytest.mark.parametrize("kind", KINDS)
async def test_middleware_that_swallows_its_cancellation_after_the_handler_is_told_of_in_the_log(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with real(kind, as_kind(kind, lambda ctx, n: n)) as bench:
        waiting(bench, "after", wait)
        (id,) = await bench.enqueue("job")
        await reached.wait()
        with caplog.at_level(logging.WARNING, "ferryman.engine"):
            await cancel(bench, id)
            await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.CANCELLED)
    assert any("FM507" in record.getMessage() for record in caplog.records)


async def test_a_thread_that_is_asked_to_end_ends_with_its_middleware_around_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started, cleaned = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    never = threading.Event()

    def job() -> None:
        loop.call_soon_threadsafe(started.set)
        while not never.wait(0.001):
            pass

    async with real("def", job, probe) as bench:

        @hooks_of(bench).add_middleware
        async def cleans(ctx: Context, call_next: Next) -> Any:
            try:
                return await call_next()
            finally:
                await asyncio.wait((asyncio.ensure_future(noop()),))
                cleaned.append(ctx.cancelled)

        (id,) = await bench.enqueue("job")
        await started.wait()
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.CANCELLED)
        assert cleaned == [True]
        await healthy(bench)


async def test_middleware_that_does_not_end_after_a_thread_was_asked_to_is_cancelled_then_given_up() -> None:
    started, cancels = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    never, let_go = threading.Event(), asyncio.Event()

    def job() -> None:
        loop.call_soon_threadsafe(started.set)
        while not never.wait(0.001):
            pass

    async with real("def", job, probe, grace=0.01) as bench:

        @hooks_of(bench).add_middleware
        async def stays(ctx: Context, call_next: Next) -> Any:
            if ctx.job.type == "probe":
                return await call_next()
            try:
                await call_next()
            except BaseException:
                while not let_go.is_set():
                    try:
                        await let_go.wait()
                    except asyncio.CancelledError:
                        cancels.append(1)

        (id,) = await bench.enqueue("job")
        await started.wait()
        await cancel(bench, id)
        await bench.until_ended(1)
        assert bench.ended[0].outcome == Outcome(What.CANCELLED)
        assert cancels == [1]
        await bench.enqueue("probe")
        await bench.until_ended(2)
        let_go.set()
        await bench.until(lambda: bool(bench.fenced))


async def test_a_stop_gives_up_a_thread_and_then_the_middleware_around_it() -> None:
    started, let_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    free = threading.Event()

    def job() -> None:
        loop.call_soon_threadsafe(started.set)
        free.wait()

    bench = real("def", job, stop_deadline=0.01, last_grace=0.01, grace=60.0)
    async with bench:

        @hooks_of(bench).add_middleware
        async def stays(ctx: Context, call_next: Next) -> Any:
            try:
                await call_next()
            finally:
                await let_go.wait()

        (id,) = await bench.enqueue("job")
        await started.wait()
    assert bench.ended[0].outcome.what is What.INTERRUPTED
    assert (await bench.job(id)).status is Status.PENDING
    assert bench.node.unwritten == 0
    free.set()
    let_go.set()
    await turns()


async def test_a_stop_in_the_moment_in_which_a_thread_has_ended_is_not_lost() -> None:
    seen: list[Reason | None] = []

    def job() -> None:
        pass

    async with real("def", job, probe, grace=3600.0) as bench:

        def stop() -> None:
            (running,) = life_of(bench).pool.running()
            assert isinstance(running.call, ThreadCall)
            while not running.call._ended:
                pass  # the loop stands still: the answer cannot arrive
            life_of(bench).pool._ladder.stop(running, Reason.CANCEL)
            seen.append(running.reason)

        @hooks_of(bench).add_middleware
        async def waits(ctx: Context, call_next: Next) -> Any:
            if ctx.job.type == "probe":
                return await call_next()
            bench.loop.call_soon(stop)
            await call_next()
            return await asyncio.Event().wait()

        await bench.enqueue("job")
        await bench.until_ended(1)
        assert seen == [None], "the thread had ended, so it could not be asked to"
        assert bench.ended[0].outcome.what is What.CANCELLED
        await healthy(bench)


async def test_middleware_may_bound_a_handler_in_a_thread_by_a_timeout_of_its_own() -> None:
    started, ended = threading.Event(), threading.Event()
    never = threading.Event()

    def job() -> None:
        started.set()
        try:
            while not never.wait(0.001):
                pass
        finally:
            ended.set()

    async with real("def", job, probe) as bench:

        @hooks_of(bench).add_middleware
        async def bounds(ctx: Context, call_next: Next) -> Any:
            if ctx.job.type == "probe":
                return await call_next()
            async with asyncio.timeout(None) as bound:
                calling = call_next()
                await asyncio.get_running_loop().run_in_executor(None, lambda: None)
                bound.reschedule(asyncio.get_running_loop().time())
                return await calling

        await bench.enqueue("job", max_attempts=1)
        await bench.until_ended(1)
        error = bench.ended[0].outcome.error
        assert error is not None
        assert error.type == "TimeoutError"
        assert not started.is_set() or ended.wait(60)
        await healthy(bench)


async def test_a_run_leaves_no_deadline_behind() -> None:
    def job() -> None:
        pass

    async with real("def", job) as bench:
        waiting(bench, "after", noop)
        await bench.enqueue("job", count=3)
        await bench.until_ended(3)
        heap = life_of(bench).pool._ladder._deadlines._heap
        assert len(heap) == 3
        assert not [entry for entry in heap if entry[2].call is not None]


# -- on_failure --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_failure_hooks_are_called_for_each_failed_attempt_before_its_outcome_is_written(kind: str) -> None:
    told: list[tuple[str, Any]] = []

    def work(ctx: Context, n: int) -> None:
        variable.set("of the handler")
        raise KeyError(ctx.attempt)

    async with real(kind, handler(as_kind(kind, work), retry=policy(0.0))) as bench:
        hooks = hooks_of(bench)

        @hooks.on_failure
        def first(ctx: Context, error: BaseException) -> None:
            assert threading.current_thread() is not threading.main_thread()
            told.append(("first", (ctx.attempt, ctx.job.max_attempts, ctx.final, repr(error), len(bench.ended))))

        @hooks.on_failure
        async def second(ctx: Context, error: BaseException) -> None:
            assert asyncio.get_running_loop() is bench.loop
            told.append(("second", variable.get()))

        await bench.enqueue("job", max_attempts=2)
        await bench.until_ended(2)
        seen = "of the handler"
        assert told == [
            ("first", (1, 2, False, "KeyError(1)", 0)),
            ("second", seen),
            ("first", (2, 2, True, "KeyError(2)", 1)),
            ("second", seen),
        ]


def told_of(job: Any, *, payload: str = "{}", **options: Any) -> list[tuple[BaseException, bool]]:
    """What a failure hook is told of one run of a coroutine."""
    told: list[tuple[BaseException, bool]] = []

    async def play() -> None:
        async with Bench(job, workers=1, **options) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                told.append((error, ctx.final))

            await bench.enqueue("job", payload)
            await bench.until_ended(1)

    run_virtual(play())
    return told


def test_an_error_that_is_not_retried_is_final_at_the_first_attempt() -> None:
    async def job() -> None:
        raise PermissionError

    ((error, final),) = told_of(handler(job, retry=policy(1.0, never=[PermissionError])))
    assert (type(error), final) == (PermissionError, True)


def test_a_timeout_is_told_as_ours_and_says_where_the_handler_was() -> None:
    async def job() -> None:
        await asyncio.Event().wait()

    ((error, final),) = told_of(handler(job, timeout=3.0))
    assert isinstance(error, HandlerTimedOut)
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert not final


def test_a_payload_that_does_not_fit_and_a_result_that_cannot_be_kept_are_failures_too() -> None:
    async def job(n: int = 0) -> object:
        return object()

    ((error, final),) = told_of(handler(job), payload='{"m": 1}')
    assert (type(error), final) == (PayloadMismatch, True)
    ((error, final),) = told_of(handler(job))
    assert (type(error), final) == (ResultNotSerialisable, True)


def test_a_job_whose_payload_does_not_fit_has_failed_whatever_comes_while_a_hook_is_told() -> None:
    async def play() -> None:
        async def job(n: int) -> None: ...

        async with Bench(job, workers=1, grace=1.0) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                life_of(bench).pool.cancel([(ctx.job.id, ctx.claim)])
                await pause(4.0)

            await bench.enqueue("job", '{"m": 1}')
            await bench.until_ended(1)
            assert code(bench.ended[0].outcome) == "FM508"

    run_virtual(play())


def test_a_retry_is_a_failure_a_snooze_and_a_cancel_are_none() -> None:
    def raising(error: BaseException) -> Any:
        async def job() -> None:
            raise error

        return job

    ((error, _),) = told_of(raising(Retry(5)))
    assert isinstance(error, Retry)
    assert told_of(raising(Snooze(5))) == told_of(raising(Cancel())) == []


def test_a_cancelled_an_interrupted_and_a_done_run_call_no_failure_hook() -> None:
    async def play() -> None:
        told: list[BaseException] = []
        bench = Bench(for_ever, noop, workers=3)
        async with bench:
            hooks_of(bench).on_failure(lambda ctx, error: told.append(error))
            (id,) = await bench.enqueue("for_ever")
            await bench.enqueue("for_ever", max_attempts=1)
            await bench.enqueue("noop")
            await turns()
            await cancel(bench, id)
            await bench.until_ended(2)
        assert len(bench.ended) == 3
        assert not told

    run_virtual(play())


def test_a_handler_that_never_ends_after_its_timeout_is_told_of_without_waiting() -> None:
    async def play() -> None:
        told: list[BaseException] = []
        let_go = asyncio.Event()

        async def job() -> None:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue

        async with Bench(handler(job, timeout=3.0), workers=1, grace=5.0) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                await pause(1.0)
                told.append(error)

            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(13.0)
            assert not told
            await pause(2.0)
            assert isinstance(told[0], HandlerTimedOut)
            let_go.set()
            await turns()
            assert len(told) == 1

    run_virtual(play())


def test_a_failure_hook_that_raises_or_hangs_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        called: list[str] = []

        async def job() -> None:
            raise KeyError("boom")

        async with Bench(job, probe, workers=1) as bench:
            hooks = hooks_of(bench)

            @hooks.on_failure
            async def exits(ctx: Context, error: BaseException) -> None:
                raise SystemExit(3)

            @hooks.on_failure
            async def hangs(ctx: Context, error: BaseException) -> None:
                await asyncio.Event().wait()

            @hooks.on_failure
            async def snoozes(ctx: Context, error: BaseException) -> None:
                called.append(ctx.job.id)
                raise Snooze(5)

            (id,) = await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(5.0)
            assert (called, code(bench.ended[0].outcome)) == ([id], "FM501")
            await healthy(bench)

    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        run_virtual(play())
    told = [record.getMessage() for record in caplog.records]
    assert ["exits" in told[0], "hangs" in told[1], "longer than 5 s" in told[1], "snoozes" in told[2]] == [True] * 4
    assert len(told) == 3


async def test_a_failure_hook_that_blocks_its_thread_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 0.01)
    free = threading.Event()

    async def job() -> None:
        raise KeyError("boom")

    async with real("async def", job, probe) as bench:
        hooks_of(bench).on_failure(lambda ctx, error: free.wait())
        await bench.enqueue("job", max_attempts=1)
        with caplog.at_level(logging.ERROR, "ferryman.engine"):
            await bench.until_ended(1)
        assert code(bench.ended[0].outcome) == "FM501"
        assert "longer than" in caplog.text
        free.set()
        await healthy(bench)


def test_a_cancel_that_comes_after_the_handler_has_ended_does_not_reach_the_failure_hook() -> None:
    async def play() -> None:
        told: list[str] = []

        async def job() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise KeyError("boom")

        async with Bench(job, probe, workers=1) as bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                await pause(1.0)
                told.append(ctx.job.id)
                (running,) = life_of(bench).pool.running()
                running.slot.task.cancel()
                await pause(1.0)
                told.append("ended")

            (id,) = await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert told == [id, "ended"]
            assert code(bench.ended[0].outcome) == "FM501"
            await healthy(bench)

    run_virtual(play())


def test_a_stop_whose_deadline_has_passed_does_not_wait_for_failure_hooks() -> None:
    async def play() -> None:
        told: list[str] = []

        async def job() -> None:
            raise KeyError("boom")

        async def stays() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await pause(0.5)

        bench = Bench(job, handler(stays, timeout=1.9), workers=2, stop_deadline=2.0)
        async with bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                told.append(ctx.job.type)
                await pause(3.0)
                told.append("too late")

            await bench.enqueue("job", max_attempts=1)
            await bench.enqueue("stays", max_attempts=1)
            await turns()
            stopped = bench.loop.time()
        assert [code(run.outcome) for run in bench.ended] == ["FM501", "FM502"]
        assert told == ["job"], "cut short at 2.0 s, and none was begun after that"
        assert bench.loop.time() - stopped == pytest.approx(2.4)

    run_virtual(play())


def test_after_the_stop_no_failure_hook_is_under_way() -> None:
    async def play() -> None:
        told: list[str] = []

        async def job() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if len(told) > 1:
                        raise

        bench = Bench(handler(job, timeout=3.0), workers=1, grace=1.0)
        async with bench:

            @hooks_of(bench).on_failure
            async def hook(ctx: Context, error: BaseException) -> None:
                told.append("begun")
                try:
                    await asyncio.Event().wait()
                finally:
                    told.append("ended")

            await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            await turns()
            assert told == ["begun"]
        await turns()
        assert told == ["begun", "ended"]

    run_virtual(play())


def test_a_failure_that_nobody_raised_here_is_told_with_its_message() -> None:
    outcome = Outcome(What.FAILED, error=JobError("FM501", "ValueError", "boom"))
    error = cause(outcome, None)
    assert isinstance(error, HandlerRaised)
    assert error.what == "boom"


def test_a_handler_sees_whether_its_attempts_are_spent() -> None:
    async def play() -> None:
        seen: list[bool] = []

        async def job(ctx: Context) -> None:
            seen.append(ctx.final)
            raise KeyError

        async with Bench(job) as bench:
            await bench.enqueue("job", max_attempts=2)
            await bench.until_ended(2)
        assert seen == [False, True]

    run_virtual(play())
