"""A small world to run the engine in: a store that fails on demand, jobs, handlers, what happened."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, Self, TypeVar

import msgspec

from ferryman.domain import strictjson
from ferryman.domain.claim import Batch, ClaimRequest, OpenBatch
from ferryman.domain.events import Ended, Event, Events, RunsEnded, WritesFenced
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob, Job, Lane, NewJob
from ferryman.domain.outcome import Finish
from ferryman.domain.report import Report
from ferryman.domain.retry import Fixed, RetryPolicy
from ferryman.domain.state import Status
from ferryman.engine.node import Node
from ferryman.engine.registry import Handler, Registry
from ferryman.engine.runner import LoopTicker, ThreadTicker
from ferryman.engine.running import Reason
from ferryman.engine.signature import Signature
from ferryman.engine.wakeup import LocalWakeup
from ferryman.engine.world import NodeOptions, World
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Admitted, Clock, FinishReport, NodeInfo, Rescued, Retention
from ferryman.store.reporting import Runs
from ferryman.testing.virtual_loop import VirtualClock

T = TypeVar("T")
FOREVER = Retention(10**15, 10**15, 10**15)
Where = Literal["before", "after"]


class FaultyStore(MemoryStore):
    """A memory store whose verbs can be held up or made to fail, before or after they did their work."""

    def __init__(self, clock: Clock, ids: IdMinter) -> None:
        super().__init__(clock, ids, FOREVER)
        self.calls: list[str] = []
        self.requests: list[ClaimRequest] = []
        self.groups: list[list[Finish]] = []
        self.reports: list[list[Report]] = []
        self.beats: deque[bool | Exception] = deque()
        """What the next beats answer."""
        self.trip = 0.0
        """Virtual seconds that each claim takes."""
        self._faults: dict[str, deque[tuple[Where, Exception | asyncio.Future[None]]]] = {}

    def fail(self, verb: str, error: Exception, where: Where = "before", times: int = 1) -> None:
        """Let the next calls of a verb fail; after: the store did it, but the reply is lost."""
        for _ in range(times):
            self._faults.setdefault(verb, deque()).append((where, error))

    def hold(self, verb: str, where: Where = "before") -> asyncio.Future[None]:
        """Let the next call of a verb wait until the future is resolved."""
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._faults.setdefault(verb, deque()).append((where, gate))
        return gate

    async def _through(self, verb: str, do: Coroutine[Any, Any, T]) -> T:
        self.calls.append(verb)
        waiting = self._faults.get(verb)
        where, fault = waiting.popleft() if waiting else ("before", None)
        if where == "after":
            result = await do
            await _strike(fault)
            return result
        if isinstance(fault, Exception):
            do.close()
        await _strike(fault)
        return await do

    async def register(self, node: NodeInfo, now: int) -> int:
        return await self._through("register", super().register(node, now))

    async def claim(self, request: ClaimRequest, now: int) -> Batch:
        self.requests.append(request)
        if self.trip:
            await pause(self.trip)
        return await self._through("claim", super().claim(request, now))

    async def finish(self, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        self.groups.append(list(finishes))
        return await self._through("finish", super().finish(node, finishes, now))

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        self.reports.append(list(reports))
        return await self._through("report", super().report(node, reports))

    async def open_batches(self, node: int) -> Sequence[OpenBatch]:
        return await self._through("open_batches", super().open_batches(node))

    async def release(self, node: int, batch: int, now: int) -> int:
        return await self._through("release", super().release(node, batch, now))

    async def cancellations(self, node: int) -> Sequence[tuple[str, int]]:
        return await self._through("cancellations", super().cancellations(node))

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        return await self._through("rescue", super().rescue(now, lease))

    async def admit(self, now: int, limit: int) -> Admitted:
        return await self._through("admit", super().admit(now, limit))

    async def retire(self, node: int, now: int) -> None:
        await self._through("retire", super().retire(node, now))

    def beat(self, node: int) -> bool:
        if self.beats:
            answer = self.beats.popleft()
            if isinstance(answer, Exception):
                raise answer
            if not answer:
                return False
        return super().beat(node)


async def _strike(fault: Exception | asyncio.Future[None] | None) -> None:
    if isinstance(fault, Exception):
        raise fault
    if fault is not None:
        await fault


async def pause(seconds: float) -> None:
    """Let time pass, in a handler or a store: it has no other business. Tests wait for what happens."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    timer = loop.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


async def turns(count: int = 20) -> None:
    """Let everything that is ready run, a few times over."""
    for _ in range(count):
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turn.set_result, None)
        await turn


def handler(function: Callable[..., Any], **changes: Any) -> Handler:
    """A handler as `@app.job` would make it."""
    wants_context = next(iter(inspect.signature(function).parameters), None) == "ctx"
    plain = Handler(
        type=function.__name__,
        function=function,
        is_async=inspect.iscoroutinefunction(function),
        wants_context=wants_context,
        signature=Signature(function, wants_context=wants_context),
        queue="default",
        priority=5,
        max_attempts=5,
        timeout="default",
        retry=RetryPolicy(Fixed(1.0)),
    )
    return msgspec.structs.replace(plain, **changes)


def registry_of(*handlers: Callable[..., Any] | Handler) -> Registry:
    registry = Registry()
    for each in handlers:
        registry.add(each if isinstance(each, Handler) else handler(each))
    return registry


def claimed_job(type: str = "noop", payload: str = "{}", **changes: Any) -> ClaimedJob:
    """A claim, as a store would give it."""
    plain = ClaimedJob(
        id="job-1",
        number=1,
        attempt=1,
        crashes=0,
        interruptions=0,
        batch=7,
        lane=Lane("default", type, 5),
        payload=payload,
        max_attempts=5,
        timeout=None,
        created_at=0,
        run_at=None,
        expires_at=None,
        unique_key=None,
        tags=(),
    )
    return msgspec.structs.replace(plain, **changes)


class Bench:
    """A node over a faulty store, on the running loop."""

    def __init__(self, *handlers: Callable[..., Any] | Handler, clock: Clock | None = None, **options: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = clock or VirtualClock(self.loop)
        self.ids = IdMinter(random.Random(1))
        self.store = FaultyStore(self.clock, self.ids)
        self.events: list[Event] = []
        self.wakeup = LocalWakeup()
        self.options = NodeOptions(**{"workers": 2, "capacity": 10, "stop_deadline": 5.0, **options})
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self.world = World(
            store=self.store,
            registry=registry_of(*handlers),
            clock=self.clock,
            ids=self.ids,
            events=Events(self._note),
            wakeup=self.wakeup,
            encode=strictjson.encode,
            share=lambda: 0.5,
            ticker=LoopTicker if clock is None else ThreadTicker,
        )
        self.node = Node(self.world, self.options, self.wakeup)

    async def __aenter__(self) -> Self:
        await self.node.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.stop()

    async def enqueue(self, type: str, payload: str = "{}", count: int = 1, **more: Any) -> list[str]:
        """Store jobs and wake the node."""
        now = self.clock.now()
        jobs = [NewJob(self.ids.mint(now), type, payload, now, **more) for _ in range(count)]
        await self.store.insert(jobs, now)
        self.wakeup.work()
        return [job.id for job in jobs]

    async def job(self, id: str) -> Job:
        job = await self.store.get(id, self.clock.now())
        assert job is not None
        return job

    async def jobs(self, ids: Sequence[str]) -> list[Job]:
        return [await self.job(id) for id in ids]

    @property
    def ended(self) -> list[Ended]:
        return [run for event in self.events if isinstance(event, RunsEnded) for run in event.runs]

    @property
    def fenced(self) -> list[Ended]:
        return [run for event in self.events if isinstance(event, WritesFenced) for run in event.runs]

    async def one(self, type: str, **more: Any) -> tuple[Status, str | None]:
        """Enqueue one job, wait until a run of it has ended: its status and its result."""
        (id,) = await self.enqueue(type, **more)
        await self.until(lambda: any(run.job.id == id for run in [*self.ended, *self.fenced]))
        job = await self.job(id)
        return job.status, job.result

    async def until_ended(self, count: int) -> list[Ended]:
        """Wait until so many runs have their outcomes in the store."""
        await self.until(lambda: len(self.ended) >= count)
        return self.ended

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait until an event makes it so."""
        if not fits():
            met: asyncio.Future[None] = self.loop.create_future()
            self._watchers.append((fits, met))
            await met

    def time_is_up(self, type: str) -> None:
        """Ask each run of a type to end, as the timer of its timeout does; a real one might be faster than the run."""
        life = self.node._life
        assert life is not None
        for running in life.pool.running():
            if running.job.type == type:
                life.pool._ladder.stop(running, Reason.TIMEOUT)

    def _note(self, event: Event) -> None:
        self.events.append(event)
        for fits, met in list(self._watchers):
            if fits() and not met.done():
                met.set_result(None)
