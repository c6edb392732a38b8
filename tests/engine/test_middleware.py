"""Middleware: what it may do around a run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.domain.retry import policy
from ferryman.engine.context import Context
from ferryman.engine.signals import Cancel, Snooze
from tests.engine.hooks import KINDS, Next, as_kind, hooks_of, real, variable
from tests.engine.stopping import code, noop
from tests.engine.world import handler

pytestmark = pytest.mark.anyio


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
