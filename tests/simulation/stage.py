"""Plays one seed: spawns processes, sends requests, does harm, then lets the weather calm and looks what is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman.client.request import JobRequest
from ferryman.domain.errors import FerrymanError
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.domain.state import TERMINAL
from ferryman.engine.runner import InlineRunner
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import JobFilter, Retention, Store
from ferryman.store.sqlite import SqliteStore
from ferryman.store.sqlite.statements import Statements
from ferryman.testing.clock import EPOCH
from ferryman.testing.history import entries
from ferryman.testing.history.history import Final as FinalState
from ferryman.testing.history.history import History, Terms, final_state
from tests.simulation import people
from tests.simulation.bells import Exchange, SimBell
from tests.simulation.filelock import FileLock
from tests.simulation.handlers import Script, registry
from tests.simulation.loop import SimLoop, Stuck, pause
from tests.simulation.nemesis import Nemesis
from tests.simulation.notes import Notes
from tests.simulation.noting import NotingSqliteStore
from tests.simulation.plan import FAULTS_END, TYPES, JobPlan, PersonPlan, Plan, Role
from tests.simulation.process import LaneRunnerFactory, Process, WallClock
from tests.simulation.together import FOLLOW, ledger

FOREVER: Final = Retention(10**15, 10**15, 10**15)
SETTLE: Final = 240.0
"""Virtual seconds in which every job must end once the weather is calm."""
LOOK: Final = 0.5


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
        self._dice = random.Random(f"stage {plan.seed}")
        self._ids = IdMinter(random.Random(f"callers {plan.seed}"))
        self._clock = WallClock(loop)
        self._exchange = Exchange(loop, self._dice, plan.deaf)
        self._lock = FileLock(loop, random.Random(f"file {plan.seed}"))
        self._script = Script(plan.jobs)
        self._tasks: list[asyncio.Task[Any]] = []
        self._nemesis = Nemesis(self.notes, self._living, self._spawn_task)
        self._weather_is_calm = False
        self._path = path
        self._statements = Statements()
        self._memory = MemoryStore(self._clock, IdMinter(random.Random(plan.seed)), FOREVER, gone=self._gone)

    # -- processes -------------------------------------------------------------------------------

    def spawn(self, role: Role) -> Process:
        """Begin a process."""
        process = Process(
            f"p{len(self.processes) + 1}",
            role,
            self.plan,
            self.loop,
            self.notes,
            self._connect,
            SimBell(self._exchange),
            self._lock,
            partial(registry, self._script, self._nemesis.block),
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

    def _connect(self, clock: WallClock, ids: IdMinter, runner: LaneRunnerFactory) -> Store:
        if self.plan.store == "memory":
            return self._memory
        return NotingSqliteStore(
            self._path,
            clock=clock,
            ids=ids,
            retention=FOREVER,
            runner=runner,
            statements=self._statements,
            at_fork=_nobody_forks,
            around_forks=_nobody_forks,
        )

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
        for fault in self.plan.faults:
            self._at(fault.at, self._nemesis.harm, fault)
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
        # one wall clock for all from here on, as late as any ever was: what was scheduled by it is due some day
        self._clock.offset = max(self._nemesis.latest, *(process.clock.offset for process in self.processes))
        for process in self._living():
            process.clock.offset = self._clock.offset
            process.home.fuse = process.side.fuse = None
            process.weather.clear()
            process.let_go()

    def _terms(self) -> Terms:
        plan = self.plan
        return Terms(lease=plan.lease, beat=plan.beat, max_pending=plan.max_pending, types=frozenset({*TYPES, FOLLOW}))

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
        )
        if not job.keyed:
            self.jobs.append(id)
        await self._until_answered(request)
        if job.again is not None:
            await pause(job.again)
            await self._until_answered(request)

    async def _until_answered(self, request: JobRequest) -> None:
        for _ in range(4):
            process = await self._somebody()
            if await self._within(process, people.enqueue_patiently(process, request)):
                return

    async def _person(self, person: PersonPlan) -> None:
        if not self.jobs:
            return
        process = await self._somebody()
        job = self.jobs[-1 - person.which % min(len(self.jobs), 12)]
        work = {"cancel": people.cancel, "retry": people.retry, "look": people.look}[person.what]
        await self._within(process, work(process, job))

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
        store = await self._open_final()
        if self.plan.last_kill:
            await self._last_kill()
        await self._until_ended(store)
        self._tasks[0].cancel()  # nobody replaces processes any more
        for process in self._living():
            process.begin_stop()
        for process in self.processes:
            await asyncio.wait((process.ended,), timeout=60.0)
            if process.alive:
                raise Stuck(f"{process.name} would not stop.")
        numbers = [number for process in self.processes for number in process.store.registered.values()]
        final = await final_state(store, self._clock.now(), numbers)
        await store.close()
        return final if store is self._memory else msgspec.structs.replace(final, ledger=ledger(self._path))

    async def _open_final(self) -> Store:
        """The stage's own connection, of which no process knows."""
        if self.plan.store == "memory":
            return self._memory
        ids = IdMinter(random.Random(0))
        store = SqliteStore(
            self._path,
            clock=self._clock,
            ids=ids,
            retention=FOREVER,
            runner=lambda _name: InlineRunner(),
            statements=self._statements,
            at_fork=_nobody_forks,
            around_forks=_nobody_forks,
        )
        await store.open()
        return store

    async def _until_ended(self, store: Store) -> None:
        for _ in range(round(SETTLE / LOOK)):
            jobs = await store.list(JobFilter(limit=100_000), self._clock.now())
            asked = all(task.done() for task in self._tasks[1:])
            # a handler may go on after its transaction has committed, and enqueue: it is not over before that has ended
            at_rest = all(p.up and (p.node is None or not p.node.in_progress) for p in self._living())
            if asked and at_rest and all(job.status in TERMINAL for job in jobs):
                return
            await pause(LOOK)

    async def _last_kill(self) -> None:
        """In calm weather: who runs jobs is killed, while another node looks on."""
        nodes = [process for process in self._living() if process.node is not None and process.up]
        if len(nodes) > 1:
            await pause(2.0)
            nodes = [process for process in nodes if process.alive and process.up]
            if len(nodes) > 1:
                max(nodes, key=lambda process: process.node.in_progress if process.node else 0).kill()


def _nobody_forks(*_calls: object) -> None:
    """Simulated processes fork no children."""
