"""The workbench of every test: one store, its clock, and short names for what tests do again and again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from ferryman.domain.bounds import Bound
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, ClaimedJob, Job, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.store.protocol import (
    Counts,
    Declaration,
    FinishReport,
    JobFilter,
    NodeInfo,
    Receipt,
    Rescued,
    Store,
    Verdict,
)
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance.harness import LEASE, Harness

TYPES: Final = frozenset({"echo", "mail"})
MANY: Final = 1_000
WORKER: Final = 3
HOUR: Final = 3600.0


class Bench:
    """A store under test. Ids and numbers come from a seed, so that every run of a test is the same."""

    def __init__(self, harness: Harness, store: Store, seed: int = 0) -> None:
        self.harness = harness
        self.store = store
        self.ids = IdMinter(random.Random(seed))
        self.nodes: list[int] = []
        """Every node that was ever registered here."""
        self.claimed: list[ClaimedJob] = []
        """Every job that was ever claimed through `claim`."""

    @property
    def clock(self) -> ManualClock:
        """The clock of the store."""
        return self.harness.clock

    @property
    def now(self) -> int:
        """The clock's time, in microseconds."""
        return self.clock.now()

    # -- making ----------------------------------------------------------------------------------

    def job(self, type: str = "echo", **options: Any) -> NewJob:
        """A job that nobody has handed in yet."""
        given = {"id": self.ids.mint(self.now), "payload": "{}", "created_at": self.now}
        return NewJob(type=type, **{**given, **options})

    async def insert(self, *jobs: NewJob, max_pending: Bound = 0) -> list[Receipt]:
        """Hand jobs in."""
        return (await self.store.insert(jobs, self.now, max_pending=max_pending)).receipts

    async def add(self, type: str = "echo", **options: Any) -> str:
        """Hand one job in, which must be accepted. Gives its id."""
        job = self.job(type, **options)
        assert await self.insert(job) == [Receipt(job.id, Verdict.INSERTED)]
        return job.id

    async def node(
        self,
        store: Store | None = None,
        types: frozenset[str] = TYPES,
        declared: Mapping[str, Declaration] | None = None,
    ) -> int:
        """Register a node."""
        id = f"node-{len(self.nodes)}-{self.ids.number():x}"
        info = NodeInfo(id, "host", 1, "0.1.0", types, None, 10, declared or {})
        number = await (store or self.store).register(info, self.now)
        self.nodes.append(number)
        return number

    async def home(self) -> int:
        """The first node; made when it is first asked for."""
        return self.nodes[0] if self.nodes else await self.node()

    # -- running ---------------------------------------------------------------------------------

    def request(
        self,
        node: int,
        *,
        types: frozenset[str] = TYPES,
        queues: frozenset[str] | None = None,
        limit: int = MANY,
        idle: int = MANY,
        alone: bool = True,
        by_age: bool = False,
    ) -> ClaimRequest:
        """A claim for everything, unless told otherwise, under a batch id of its own."""
        return ClaimRequest(node, self.ids.number(), types, queues, limit, idle, alone, by_age)

    async def claim(self, node: int | None = None, **options: Any) -> Batch:
        """Claim for a node, the first one by default."""
        number = await self.home() if node is None else node
        batch = await self.store.claim(self.request(number, **options), self.now)
        self.claimed += batch.jobs
        return batch

    async def claim_one(self, node: int | None = None) -> ClaimedJob:
        """Claim exactly one job, which must be there."""
        (job,) = (await self.claim(node, limit=1)).jobs
        return job

    async def start(self, **options: Any) -> ClaimedJob:
        """Hand one job in and claim it; nothing else may be pending before it."""
        id = await self.add(**options)
        job = await self.claim_one()
        assert job.id == id
        return job

    def ended(self, job: ClaimedJob, what: What, *, token: int | None = None, **outcome: Any) -> Finish:
        """What to write for a run that started now and ended now."""
        run = Run(self.ids.number() if token is None else token, WORKER, self.now)
        if what is What.DONE:
            outcome.setdefault("result", "null")
        return decide(job, Outcome(what, **outcome), run, self.now)

    async def write(self, *finishes: Finish, node: int | None = None) -> FinishReport:
        """Write outcomes for a node, the first one by default."""
        return await self.store.finish(await self.home() if node is None else node, finishes, self.now)

    async def finish(self, job: ClaimedJob, what: What = What.DONE, **outcome: Any) -> FinishReport:
        """End a run, which must still be open."""
        report = await self.write(self.ended(job, what, **outcome))
        assert not report.fenced
        return report

    async def rescue(self) -> list[Rescued]:
        """Rescue with the suite's lease."""
        return list(await self.store.rescue(self.now, LEASE))

    async def bury(self, node: int, store: Store | None = None) -> list[Rescued]:
        """Let a node die and rescue what it had."""
        await self.rescue()
        await self.harness.kill(store or self.store, node)
        return await self.rescue()

    # -- looking ---------------------------------------------------------------------------------

    async def read(self, id: str) -> Job:
        """A job that must be there."""
        job = await self.store.get(id, self.now)
        assert job is not None
        return job

    async def status(self, id: str) -> Status:
        """The status of a job that must be there."""
        return (await self.read(id)).status

    async def last(self, id: str) -> Attempt:
        """The last outcome of a job that must have one."""
        return list(await self.store.attempts(id))[-1]

    async def listed(self, **filter: Any) -> list[Job]:
        """A page of the list."""
        return list(await self.store.list(JobFilter(**{"limit": MANY, **filter}), self.now))

    async def counts(self) -> Counts:
        """Depths and totals."""
        return await self.store.counts(self.now)

    async def totals(self, *names: str) -> list[int]:
        """Some of the totals."""
        counts = await self.counts()
        return [counts.totals[name] for name in names]

    # -- bringing a job somewhere ----------------------------------------------------------------

    async def bring(self, status: Status, **options: Any) -> str:
        """A job in a status, by the shortest way. Nothing else may be pending.

        Raises:
            ValueError: no verb leads there.
        """
        match status:
            case Status.PENDING:
                return await self.add(**options)
            case Status.SCHEDULED:
                return await self.add(**{"run_at": self.now + round(HOUR * 1_000_000), **options})
            case Status.PROCESSING:
                return (await self.start(**options)).id
            case Status.COMPLETED:
                return await self._end(What.DONE, options)
            case Status.FAILED:
                return await self._end(What.FAILED, options, retryable=False)
            case Status.CANCELLED:
                id = await self.add(**options)
                await self.store.cancel(id, self.now)
                return id
            case _:
                raise ValueError(f"No verb makes a job {status}.")

    async def _end(self, what: What, options: dict[str, Any], **outcome: Any) -> str:
        job = await self.start(**options)
        await self.finish(job, what, **outcome)
        return job.id
