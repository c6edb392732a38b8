"""A client over the memory store, with everything it says written down."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

from ferryman.client import Client, JobRequest
from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import WrongArgumentType
from ferryman.domain.events import Event, Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob, JobError, NewJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Declaration, Inserted, JobFilter, NodeInfo, Retention, Store
from ferryman.testing.clock import ManualClock

DAY = 24 * 3600 * 1_000_000
A_DAY = Retention(DAY, DAY, DAY)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


class Mail:
    """A declared type with values of its own."""

    queue = "mail"
    priority = 3
    max_attempts = 7
    secrets = frozenset({"password"})
    keyed = None

    def check(self, payload: str) -> None:
        if payload == '{"to":1}':
            raise WrongArgumentType("The argument to of send has the wrong type.")


class Catalogue:
    types = frozenset({"send"})

    def get(self, type: str, /) -> Mail | None:
        return Mail() if type == "send" else None


class Wakes:
    def __init__(self) -> None:
        self.said: list[object] = []

    def work(self) -> None:
        self.said.append("work")

    def scheduled(self, run_at: int) -> None:
        self.said.append(("scheduled", run_at))

    def cancelled(self, node: str | None) -> None:
        self.said.append(("cancelled", node))


class FaultyStore:
    """A memory store whose verbs can be made to fail, and whose inserts are written down."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.before: dict[str, list[Exception]] = defaultdict(list)
        """Raised before the verb does anything."""
        self.after: dict[str, list[Exception]] = defaultdict(list)
        """Raised although the verb has done its work: a lost reply."""
        self.batches: list[list[NewJob]] = []
        self.claims: list[ClaimRequest | None] = []
        self.verbs: list[str] = []
        """What was asked for, in order."""
        self.closes = 0
        self.gate = asyncio.Event()
        """While it is clear, inserts wait."""
        self.gate.set()

    async def insert(
        self, jobs: Sequence[NewJob], now: int, *, claim: ClaimRequest | None = None, **more: Any
    ) -> Inserted:
        self.batches.append(list(jobs))
        self.claims.append(claim)
        await self.gate.wait()
        return cast("Inserted", await self._do("insert", jobs, now, claim=claim, **more))

    async def close(self) -> None:
        self.closes += 1

    def __getattr__(self, verb: str) -> Any:
        async def do(*args: Any, **kwargs: Any) -> Any:
            return await self._do(verb, *args, **kwargs)

        return do

    async def _do(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        self.verbs.append(verb)
        if self.before[verb]:
            raise self.before[verb].pop(0)
        answer = await getattr(self.store, verb)(*args, **kwargs)
        if self.after[verb]:
            raise self.after[verb].pop(0)
        return answer


class Idle:
    """A node with idle workers; writes down what its offers gave."""

    def __init__(self, node: int) -> None:
        self.node = node
        self.offers = 1
        self.settled: list[Batch | None] = []

    def offer(self) -> ClaimRequest | None:
        if not self.offers:
            return None
        self.offers -= 1
        return ClaimRequest(self.node, 99, frozenset({"send"}), None, 10, 10, True)

    def settle(self, request: ClaimRequest, batch: Batch | None) -> None:
        self.settled.append(batch)


class World:
    def __init__(self, retention: Retention = A_DAY, **options: Any) -> None:
        self.clock = ManualClock()
        self.memory = MemoryStore(self.clock, IdMinter(random.Random(1)), retention)
        self.store = FaultyStore(self.memory)
        self.wakes = Wakes()
        self.events = Events()
        self.told: list[Event] = []
        self.events.listen(self.told.append)
        self.client = self.another(**options)
        self._nodes = 0

    def another(self, **options: Any) -> Client:
        """A client over the same store."""
        return Client(
            cast("Store", self.store),
            self.clock,
            IdMinter(random.Random(2)),
            self.wakes,
            events=self.events,
            catalogue=Catalogue(),
            **options,
        )

    async def node(self, *types: str, **declared: Declaration) -> int:
        """Register a node that has `types`, and those that are `declared`; the first one's id is UNKNOWN."""
        uuid = f"{UNKNOWN[:-1]}{7 + self._nodes}"
        self._nodes += 1
        info = NodeInfo(uuid, "host", 1, "0", frozenset({*types, *declared}), None, 10, declared)
        return await self.memory.register(info, self.clock.now())

    async def claim(self, node: int) -> ClaimedJob:
        """Claim one job of type send for a node."""
        request = ClaimRequest(node, self.clock.now(), frozenset({"send"}), None, 1, 1, True)
        [job] = (await self.memory.claim(request, self.clock.now())).jobs
        return job

    async def end(self, node: int, job: ClaimedJob, outcome: Outcome) -> Any:
        """Finish a claimed job; gives what was written."""
        finish = decide(job, outcome, Run(1, 1, self.clock.now()), self.clock.now())
        await self.memory.finish(node, [finish], self.clock.now())
        return finish

    async def all(self) -> list[str]:
        """The ids of every job in the store."""
        return [job.id for job in await self.memory.list(JobFilter(), self.clock.now())]


DONE = Outcome(What.DONE, result='"sent"')
FAILED = Outcome(What.FAILED, error=JobError("FM501", "ValueError", "boom"), retryable=False)


def send(**options: Any) -> JobRequest:
    """A request for a job of the declared type."""
    return JobRequest("send", '{"to":"a"}', **options)
