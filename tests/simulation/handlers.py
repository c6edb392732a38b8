"""Handlers that do what the plan says, run after run, and note on their own that they start and end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from ferryman.client.request import JobRequest
from ferryman.domain.cron import Cron
from ferryman.domain.keyed import KeyedByArgument
from ferryman.domain.retry import Exponential, RetryPolicy
from ferryman.domain.schedule import Order, Schedule
from ferryman.engine.context import Context
from ferryman.engine.registry import Handler, Registry
from ferryman.engine.signals import Cancel, Retry, Snooze
from ferryman.engine.signature import Signature
from ferryman.testing.history import entries
from tests.simulation.loop import pause
from tests.simulation.people import enqueue
from tests.simulation.plan import TYPES, FollowUp, JobPlan, Plan, SchedulePlan, Step
from tests.simulation.process import Process
from tests.simulation.together import FOLLOW, bring, transact

TICK = "tick"
"""The type of the jobs of schedules."""
STUBBORN = 8.0
"""Virtual seconds for which a stubborn handler will not end."""


class Script:
    """Which step comes next for a job, over all processes: a handler's own memory, outside the store."""

    def __init__(self, jobs: tuple[JobPlan, ...]) -> None:
        self._jobs = jobs
        self._starts: Counter[str] = Counter()

    def next(self, job: str, plan: int) -> Step:
        """The step of a job's next run."""
        steps = self._jobs[plan].steps
        run = self._starts[job]
        self._starts[job] += 1
        return steps[min(run, len(steps) - 1)]


def registry(script: Script, hold: Callable[[Process, float], None], plan: Plan, process: Process) -> Registry:
    """The handlers of one process; `hold` blocks a process's event loop for some seconds."""

    async def run(ctx: Context, plan: int) -> Any:
        step = script.next(ctx.job.id, plan)
        return await _noted(process, ctx, _act(process, ctx, step, hold))

    async def follow(ctx: Context, more: int = 0, key: str | None = None) -> Any:
        return await _noted(process, ctx, _follow_on(process, ctx, more, key))

    async def tick(ctx: Context) -> Any:
        return await _noted(process, ctx, _tick(ctx))

    found = Registry()
    functions: dict[str, Callable[..., Any]] = {**dict.fromkeys(TYPES, run), FOLLOW: follow}
    if plan.schedules:
        functions[TICK] = tick
        found.schedules.update((each.name, schedule_of(each)) for each in plan.schedules)
    gates = {each.type: KeyedByArgument(each.rule) for each in plan.gates}
    signatures = {function: Signature(function, wants_context=True) for function in (run, follow, tick)}
    for type, function in functions.items():
        found.add(
            Handler(
                type=type,
                function=function,
                is_async=True,
                wants_context=True,
                signature=signatures[function],
                queue="default",
                priority=5,
                max_attempts=5,
                timeout="default",
                retry=RetryPolicy(Exponential(base=0.3, maximum=3.0)),
                keyed=gates.get(type),
            )
        )
    return found


async def _noted(process: Process, ctx: Context, work: Any) -> Any:
    """Run a handler's work between two entries."""
    job, number = ctx.job.id, ctx.claim

    def ended(how: entries.How, result: str | None = None) -> None:
        process.notes.note(entries.Ended, process.name, job=job, number=number, how=how, result=result)

    node = str((ctx.log.extra or {})["node"])
    process.notes.note(entries.Started, process.name, job=job, number=number, attempt=ctx.attempt, node=node)
    try:
        value = await work
    except asyncio.CancelledError:
        ended("cut off")
        raise
    except Snooze:
        ended("snoozed")
        raise
    except Cancel:
        ended("cancelled")
        raise
    except BaseException:
        ended("raised")
        raise
    ended("returned", f"{number}")
    return value


async def _result(ctx: Context) -> int:
    return ctx.claim


async def _tick(ctx: Context) -> int:
    await pause(0.3)
    return await _result(ctx)


def schedule_of(plan: SchedulePlan) -> Schedule:
    """What the code declares."""
    return Schedule(plan.name, Cron(plan.expression), Order(TICK), plan.missed, 3, plan.overlap)


async def _follow_on(process: Process, ctx: Context, more: int, key: str | None) -> int:
    """A follow-up may be followed in turn, by one with the unique key that it has itself until it ends."""
    bring(process, ctx, (FollowUp(unique_key=key),) * more)
    return await _result(ctx)


async def _act(process: Process, ctx: Context, step: Step, hold: Callable[[Process, float], None]) -> Any:
    """Wait as the step says, then end as it says."""
    match step.act:
        case "swallow":
            await _deaf(step.seconds, once=True)
        case "stubborn":
            await _deaf(STUBBORN, once=False)
        case "hang":
            await pause(1_000.0)
        case "block":
            hold(process, step.seconds)
            await pause(0.0)
        case _ if step.seconds:
            await pause(step.seconds)
    error = _error(step)
    if step.block is None or process.transactions is None:
        bring(process, ctx, step.follow_ups)
    else:
        await transact(process, ctx, step, step.block, error if step.act == "raise" else None)
        await pause(step.block)  # it is completed, and goes on
    if step.act == "die":
        process.kill("running")
        await pause(0.0)  # never comes back
    if step.act == "follow":
        await _follow(process, ctx)
    if error is not None:
        raise error
    return await _result(ctx)


def _error(step: Step) -> BaseException | None:
    """What a handler raises at its end, if it does."""
    match step.act:
        case "raise":
            return ValueError("planned")
        case "exit":
            return SystemExit(3)
        case "retry":
            return Retry(step.seconds)
        case "snooze":
            return Snooze(step.seconds)
        case "cancel":
            return Cancel()
        case _:
            return None


async def _deaf(seconds: float, *, once: bool) -> None:
    """Wait for so long whatever is thrown in: the first time, or always."""
    loop = asyncio.get_running_loop()
    end = loop.time() + max(0.5, seconds)
    while loop.time() < end:
        try:
            await pause(end - loop.time())
        except asyncio.CancelledError:
            if once:
                end = min(end, loop.time() + 0.2)
                once = False


async def _follow(process: Process, ctx: Context) -> None:
    """Enqueue a follow-up under a key of this job: however often this runs, it is one job."""
    request = JobRequest(FOLLOW, queue="default", priority=5, max_attempts=3, idempotency_key=f"follow-{ctx.job.id}")
    await enqueue(process, request)
