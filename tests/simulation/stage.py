"""Plays one seed: spawns processes, sends requests, does harm, then lets the weather calm and looks what is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.client.request import JobRequest
from ferryman.domain.errors import FerrymanError
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.domain.state import TERMINAL
from ferryman.store.protocol import JobFilter, Store
from ferryman.testing.clock import EPOCH
from ferryman.testing.history import entries
from ferryman.testing.history.history import Final as FinalState
from ferryman.testing.history.history import History, Terms, final_state
from tests.simulation import gatekeeping, people
from tests.simulation.bells import Exchange, SimBell
from tests.simulation.easing import Easing
from tests.simulation.filelock import FileLock
from tests.simulation.handlers import TICK, Script, registry
from tests.simulation.loop import SimLoop, Stuck, pause
from tests.simulation.nemesis import Nemesis
from tests.simulation.notes import Notes
from tests.simulation.plan import (
    FAULTS_END,
    TYPES,
    CrowdPlan,
    JobPlan,
    KeyPlan,
    OutagePlan,
    PersonPlan,
    Plan,
    Role,
    RulePlan,
)
from tests.simulation.postgres.together import enqueue_together
from tests.simulation.process import Process, WallClock
from tests.simulation.stores import Stores
from tests.simulation.together import FOLLOW

SETTLE: Final = 240.0
"""Virtual seconds in which every job must end once the weather is calm."""
LOOK: Final = 0.5
UNDER_WAY: Final = MappingProxyType({"memory": 0.7, "sqlite": 1.5, "postgres": 2.0})
"""Seconds for which a call may be under way before it takes effect, where nothing befalls it on purpose: for a hiccup,
until a file's lock is free, until a late commit."""
SEARCH: Final = 1.0
"""Seconds within which a node whose lease has passed is found, and its claims are given back."""


class Stage:
    """The world of one plan."""

    def __init__(self, plan: Plan, loop: SimLoop, path: Path) -> None:
        """`path` is where the SQLite file is, or will be."""
        self.plan = plan
        self.loop = loop
        self.notes = Notes(loop)
        self.processes: list[Process] = []
        self.jobs: list[str] = []
        """Ids of jobs that were asked for, as far as their callers know them."""
        self.keyed: dict[str, list[str]] = {}
        """The same by their keys."""
        self._dice = random.Random(f"stage {plan.seed}")
        self._ids = IdMinter(random.Random(f"callers {plan.seed}"))
        self._clock = WallClock(loop)
        self._exchange = Exchange(loop, self._dice, plan.deaf)
        self._lock = FileLock(loop, random.Random(f"file {plan.seed}"))
        self._script = Script(plan.jobs)
        self._tasks: list[asyncio.Task[Any]] = []
        self._nemesis = Nemesis(self.notes, self._living, self._spawn_task)
        self._weather_is_calm = False
        self._stores = Stores(plan, loop, self.notes, self._clock, path, self._gone)

    # -- processes -------------------------------------------------------------------------------

    def spawn(self, role: Role) -> Process:
        """Begin a process."""
        name = f"p{len(self.processes) + 1}"
        process = Process(
            name,
            role,
            self.plan,
            self.loop,
            self.notes,
            partial(self._stores.connect, name),
            SimBell(self._exchange),
            self._lock,
            partial(registry, self._script, self._nemesis.block, self.plan),
        )
        process.clock.offset += self._clock.offset - EPOCH
        if self._weather_is_calm:
            process.weather.clear()
        self.notes.note(entries.Spawned, "nemesis", process=process.name)
        self.processes.append(process)
        process.do(self._start(process))
        return process

    async def _start(self, process: Process) -> None:
        """Runs in the process. One that cannot start ends, and somebody starts another."""
        try:
            await process.start()
        except FerrymanError:
            process.kill()

    def _gone(self, node: str) -> bool:
        """Whether the process of a node has ended, as the kernel knows it."""
        return any(not process.alive and node in process.store.registered for process in self.processes)

    def _living(self) -> list[Process]:
        return [process for process in self.processes if process.alive]

    async def _keep_up(self) -> None:
        """Replace processes that ended, after a while."""
        places: list[tuple[Role, Process | None]] = [(role, None) for role in self.plan.roles]
        while True:
            for place, (role, process) in enumerate(places):
                if process is None or not process.alive:
                    places[place] = (role, self.spawn(role))
            ended = [process.ended for _, process in places if process is not None]
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            await pause(self._dice.choice((0.0, 0.1, 1.0)))

    # -- the play --------------------------------------------------------------------------------

    async def play(self) -> History:
        """From the first spawn to the final state."""
        self._spawn_task(self._keep_up())
        for job in self.plan.jobs:
            self._at(job.at, self._enqueue, job)
        for person in self.plan.people:
            self._at(person.at, self._person, person)
        for rule in self.plan.rules:
            self._at(rule.at, self._rule, rule)
        for wish in self.plan.keys:
            self._at(wish.at, self._key, wish)
        for fault in self.plan.faults:
            self._at(fault.at, self._nemesis.harm, fault)
        for crowd in self.plan.crowds:
            self._at(crowd.at, self._together, crowd)
        for outage in self.plan.outages:
            self._at(outage.at, self._outage, outage)
        await pause(FAULTS_END + 0.1)
        self._calm()
        final = await self._settle()
        return History(entries=self.notes.entries, final=final, terms=self._terms(), exact=True)

    def _at(self, when: float, what: Any, plan: object) -> None:
        self.loop.call_at(when, lambda: self._spawn_task(what(plan)))

    def _spawn_task(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(self.loop.create_task(work, context=self.loop.stage.copy()))

    def _calm(self) -> None:
        """Nothing goes wrong from here on, but what the jobs themselves do."""
        self.notes.note(entries.Calm, "nemesis")
        self._weather_is_calm = True
        self._exchange.deaf = 0.0
        self._stores.server.calm()
        # one wall clock for all from here on, as late as any ever was: what was scheduled by it is due some day
        self._clock.offset = max(self._nemesis.latest, *(process.clock.offset for process in self.processes))
        for process in self._living():
            process.clock.offset = self._clock.offset
            process.home.fuse = process.side.fuse = None
            process.weather.clear()
            process.let_go()

    def _terms(self) -> Terms:
        plan = self.plan
        on_one_machine = plan.store != "postgres"
        return Terms(
            lease=plan.lease,
            beat=plan.beat,
            rescue_within=1.0 if on_one_machine else plan.lease + SEARCH,
            apart=plan.skew + UNDER_WAY[plan.store],
            max_pending=plan.max_pending,
            overlapping=not on_one_machine,
            types=frozenset({*TYPES, FOLLOW, TICK}),
        )

    # -- requests --------------------------------------------------------------------------------

    async def _enqueue(self, job: JobPlan) -> None:
        await asyncio.gather(*(self._enqueue_one(job) for _ in range(job.burst)))

    async def _enqueue_one(self, job: JobPlan) -> None:
        """A caller outside: asks one process after the other until one answers, or its patience ends."""
        id = self._ids.mint(self._clock.now())
        plan = self.plan.jobs.index(job)
        now = self._clock.now()
        request = JobRequest(
            job.type,
            f'{{"plan":{plan}}}',
            queue=job.queue,
            priority=job.priority,
            max_attempts=job.max_attempts,
            timeout=job.timeout,
            delay=job.delay,
            expires_at=None if job.expires is None else now + round(job.expires * MICROS),
            unique_key=job.unique_key,
            id=None if job.keyed else id,
            idempotency_key=f"key-{id}" if job.keyed else None,
            key=job.key,
        )
        if not job.keyed:
            self.jobs.append(id)
        if job.key is not None:
            self.keyed.setdefault(job.key, []).append(id)
        await self._until_answered(request)
        if job.again is not None:
            await pause(job.again)
            await self._until_answered(request)

    async def _until_answered(self, request: JobRequest) -> None:
        for _ in range(4):
            process = await self._somebody()
            if await self._within(process, people.enqueue_patiently(process, request)):
                return

    async def _together(self, crowd: CrowdPlan) -> None:
        """A caller asks for many jobs in a transaction of its own, in whatever process is there."""
        process = await self._somebody()
        job = self.plan.jobs[crowd.job]
        ids = [self._ids.mint(self._clock.now()) for _ in range(crowd.count)]
        self.jobs += ids
        await self._within(process, enqueue_together(process, crowd, job, ids, self.plan.max_pending))

    async def _outage(self, outage: OutagePlan) -> None:
        fail = self._stores.server.restart if outage.what == "restart" else self._stores.server.fail_over
        await fail(outage.seconds)

    async def _person(self, person: PersonPlan) -> None:
        if not self.jobs:
            return
        process = await self._somebody()
        job = self.jobs[-1 - person.which % min(len(self.jobs), 12)]
        work = {"cancel": people.cancel, "retry": people.retry, "look": people.look}[person.what]
        await self._within(process, work(process, job))

    async def _rule(self, rule: RulePlan) -> None:
        process = await self._somebody()
        await self._within(process, people.rule(process, rule.scope, rule.name, rule.change))

    async def _key(self, wish: KeyPlan) -> None:
        process = await self._somebody()
        await self._within(process, gatekeeping.act(process, wish, self.keyed.get(wish.key, ())))

    async def _somebody(self) -> Process:
        """A process that takes requests."""
        while True:
            up = [process for process in self._living() if process.up and process.role != "worker"]
            if up:
                return self._dice.choice(up)
            await pause(0.05)

    async def _within(self, process: Process, work: Coroutine[Any, Any, Any]) -> Any:
        """Let a process do something; None if it ends before it is done."""
        task = process.do(work)
        await asyncio.wait((task, process.ended), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None

    # -- the end ---------------------------------------------------------------------------------

    async def _settle(self) -> FinalState:
        """Wait until every job has ended, stop every process in order, and read what the store has."""
        store = await self._stores.open_final()
        easing = Easing(self.plan, store, self._somebody, self._within)
        await easing.hush()
        await easing.end_rules()
        await easing.open_gates()
        if self.plan.last_kill:
            await self._last_kill()
        await self._until_ended(store, easing)
        self._tasks[0].cancel()  # nobody replaces processes any more
        for process in self._living():
            process.begin_stop()
        for process in self.processes:
            await asyncio.wait((process.ended,), timeout=60.0)
            if process.alive:
                raise Stuck(f"{process.name} would not stop.")
        await self._stores.server.rest()
        numbers = [number for process in self.processes for number in process.store.registered.values()]
        final = await final_state(store, self._clock.now(), numbers)
        await store.close()
        return msgspec.structs.replace(final, ledger=self._stores.ledger())

    async def _until_ended(self, store: Store, easing: Easing) -> None:
        for _ in range(round(SETTLE / LOOK)):
            jobs = await store.list(JobFilter(limit=100_000), self._clock.now())
            asked = all(task.done() for task in self._tasks[1:])
            # a handler may go on after its transaction has committed, and enqueue: it is not over before that has ended
            at_rest = all(p.up and not p.busy for p in self._living())
            living = sum(job.status not in TERMINAL for job in jobs)
            if asked and at_rest and living == await easing.kept_waiting():
                return
            await easing.end_rules()
            await easing.open_gates()
            await pause(LOOK)

    async def _last_kill(self) -> None:
        """In calm weather: who runs jobs is killed, while another node looks on."""
        nodes = [process for process in self._living() if process.node is not None and process.up]
        if len(nodes) > 1:
            await pause(2.0)
            nodes = [process for process in nodes if process.alive and process.up]
            if len(nodes) > 1:
                max(nodes, key=lambda process: process.busy).kill()
