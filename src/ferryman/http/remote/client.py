"""The verbs of a client, over HTTP: what an app asks for, and what `Remote` offers besides."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.client.making import admit
from ferryman.client.request import MAX_BODY_DEFAULT, Accepted, Catalogue, JobRequest, JobType
from ferryman.domain import options
from ferryman.domain.errors import FerrymanError, JobNotFound, ResultTimeout, TransactionImpossible
from ferryman.domain.explain import Explanation
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.engine.clock import SystemClock
from ferryman.http.queues import Depth
from ferryman.http.remote import reading, sending
from ferryman.http.remote.asking import Ask, Reply
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.problems import error_of
from ferryman.http.remote.sending import Parcel
from ferryman.http.rules import RuleJson
from ferryman.http.types import TypeJson
from ferryman.store.protocol import Clock, Declaration, NodeStatus

POLL: Final = 2.0
"""Seconds between two looks at a job that has not ended; the first looks come faster."""
_FIRST_PAUSE: Final = 0.05
HELD: Final = 20.0
"""Seconds for which the server is asked to hold an answer back until the job has ended."""
HELD_MOST: Final = 20
"""So many answers are held at once: each takes one of the connections that other requests want, too."""
_LEAST: Final = 1.0
"""Seconds that a look may take, however little time is left."""
_COUNTERS: Final = MappingProxyType({"accept": "application/json"})


class NoTypes:
    """The types of a process that declares none."""

    types: frozenset[str] = frozenset()

    def get(self, type: str, /) -> JobType | None:
        """Nothing."""
        return None


class NoTransactions:
    """In place of a way into transactions: there is none over HTTP."""

    def enqueue(self, *_: Any) -> list[str]:
        """Refuse. Raises TransactionImpossible."""
        raise TransactionImpossible(
            "A job cannot become a part of your transaction.",
            why="The jobs of this app are behind HTTP, and not in the database of that transaction.",
            hint="Enqueue after the commit, or connect the app to the database.",
        )

    async def aenqueue(self, *asked: Any) -> list[str]:
        """As `enqueue`."""
        return self.enqueue(*asked)


class RemoteClient:
    """What a person may say about jobs, said to a server. Every error is one of `ferryman.errors`.

    It lives on one event loop. Ids are minted here, so that what is said twice is done once.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        catalogue: Catalogue | None = None,
        clock: Clock | None = None,
        ids: IdMinter | None = None,
        max_body: int = MAX_BODY_DEFAULT,
    ) -> None:
        """Make a client; nothing is opened.

        Args:
            connection: the way to the server.
            catalogue: the types declared in this process; those that are not are judged by the server alone.
            clock: for the time in ids.
            ids: mints them.
            max_body: bytes that a request may have; the server's MAX_BODY.
        """
        self._connection = connection
        self._catalogue: Catalogue = catalogue or NoTypes()
        self._clock: Clock = clock or SystemClock()
        self._ids = ids or IdMinter(random.Random())
        self._max_body = max_body
        self._held = 0
        self.joining = NoTransactions()
        """Says that there are none."""

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._connection.base

    async def open(self) -> None:
        """Make ready; the server is first asked when there is something to say."""
        await self._connection.open()

    async def close(self) -> None:
        """Close the connections to the server; idempotent."""
        await self._connection.close()

    async def wake(self) -> None:
        """Do nothing: the server tells its nodes by itself."""

    # -- handing in ------------------------------------------------------------------------------

    async def enqueue(self, request: JobRequest, wait: float | None = 0) -> Accepted:
        """Hand a job in; it is durable when this returns.

        Args:
            request: the job.
            wait: so many seconds to wait for room where its queue is full; None is as long as a verb may take.

        Raises:
            EnqueueError: it was refused; nothing was stored. QueueFull says when to come again.
            StoreError, ServerUnreachable, RemoteError: it may have been stored all the same; the same request with
                its `id`, or with an idempotency key, can be said again without doubling.
        """
        parcel = self._parcel(request)
        reply = await self._connection.say(sending.one(parcel, wait))
        replayed = "idempotent-replayed" in reply.headers
        return Accepted(parcel.new, reading.job(reply), replayed=replayed, existed=reply.status == 200)

    async def enqueue_chunk(self, requests: Sequence[JobRequest]) -> int:
        """Hand in a few jobs, at most about a thousand; returns how many.

        Raises: as `enqueue`, for the first refusal. The other jobs of its request are stored, and those before it.
        """
        parcels = [self._parcel(request) for request in requests]
        for piece in sending.batches(parcels, self._max_body):
            if piece[0].request.idempotency_key is not None:
                await self._connection.say(sending.one(piece[0], None))
                continue
            reply = await self._connection.say(sending.batch(piece))
            for told in reading.stored(reply, len(piece)):
                if isinstance(told, FerrymanError):
                    raise told
        return len(parcels)

    def _parcel(self, request: JobRequest) -> Parcel:
        """A request, judged by what is known here. Raises EnqueueError."""
        now = self._clock.now()
        declared = self._catalogue.get(request.type)
        minted = self._ids.mint(now) if request.id is None else options.job_id(request.id)
        # what is past, and what is too far ahead, only the server's clock can say
        timeless = msgspec.structs.replace(request, run_at=None, expires_at=None)
        new = admit(timeless, Declaration() if declared is None else declared, minted, now, self._max_body)
        return sending.parcel(request, new, declared, self._max_body)

    # -- reading ---------------------------------------------------------------------------------

    async def get(self, id: str) -> Job:
        """One job. Raises JobNotFound, also where its retention has passed."""
        return reading.job(await self._get(_of_job(id)))

    async def page(self, query: str) -> tuple[Sequence[Job], str | None]:
        """A page of jobs, and the query of the next one if there is one."""
        reply = await self._get(f"/jobs?{query}")
        return reading.jobs(reply), reading.next_page(reply)

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """Every ended run of a job, oldest first. Raises JobNotFound."""
        return reading.attempts(await self._get(_of_job(id, "/attempts")))

    async def explain(self, id: str) -> Explanation:
        """Why a job has not started. Raises JobNotFound."""
        return reading.explanation(await self._get(_of_job(id, "/explain")))

    async def metrics(self) -> Mapping[str, int]:
        """The server's counters by name, such as jobs_pending and jobs_completed."""
        return reading.counters(await self._connection.say(Ask("GET", "/metrics", headers=_COUNTERS)))

    async def queues(self) -> Sequence[Depth]:
        """How many jobs stand in each queue that holds any."""
        return reading.queues(await self._get("/queues"))

    async def nodes(self) -> Sequence[NodeStatus]:
        """The nodes that have not ended, and those that ended within the last hour."""
        return reading.nodes(await self._get("/nodes"))

    async def types(self) -> Sequence[TypeJson]:
        """Every type that a node has ever registered."""
        return reading.types(await self._get("/types"))

    async def wait(self, id: str, timeout: float | None = None) -> Job:  # noqa: ASYNC109 - it gives an error that says more
        """The job once it has ended; it may have been sent back by hand since.

        Args:
            id: the job's.
            timeout: seconds to wait; None is no bound.

        Raises:
            JobNotFound: there is no such job (any more).
            ResultTimeout: it had not ended in time.
        """
        now = self._connection.monotonic
        deadline = math.inf if timeout is None else now() + timeout
        pause = _FIRST_PAUSE
        while True:
            begun = now()
            job = await self._look(id, deadline - begun)
            if job.status in TERMINAL:
                return job
            if now() >= deadline:
                raise ResultTimeout(f"Job {id} is {job.status} after {timeout:g} s.", hint="Wait longer for it.")
            # what the server has waited counts; one that holds no answer back is asked less and less often
            await self._connection.sleep(max(0.0, min(begun + pause, deadline) - now()))
            pause = min(2 * pause, POLL)

    async def _look(self, id: str, left: float) -> Job:
        """The job, as soon as it has ended if the server knows how to wait for that."""
        held = min(HELD, left) if self._held < HELD_MOST else 0.0
        headers = {"prefer": f"wait={held:.0f}"} if held >= 1 else {}
        within = None if math.isinf(left) else max(left, _LEAST)
        self._held += bool(headers)
        try:
            ask = Ask("GET", _of_job(id), headers=headers, within=within, held=held if headers else 0.0)
            return reading.job(await self._connection.say(ask))
        finally:
            self._held -= bool(headers)

    async def _get(self, path: str) -> Reply:
        return await self._connection.say(Ask("GET", path))

    # -- changing --------------------------------------------------------------------------------

    async def cancel(self, id: str) -> Job:
        """Cancel a job that waits; ask the handler of a running one to end. Gives the job as it then was.

        Raises:
            JobNotFound: there is no such job.
            WrongState: it has ended already.
        """
        reply = await self._connection.tell(Ask("POST", _of_job(id, "/cancel")))
        if reply.status in (200, 202):
            return reading.job(reply)
        error = error_of(reply)
        if reply.unsure and reply.status == 409:
            job = await self.get(id)
            if job.status is Status.CANCELLED:  # by the try whose answer was lost
                return job
        raise error

    async def retry(self, id: str) -> Job:
        """Send a failed or cancelled job back to pending, with all its attempts. Gives the job as it then was.

        An answer that was lost is not asked for again: by then the job may have failed once more.

        Raises:
            JobNotFound: there is no such job.
            WrongState: it is neither failed nor cancelled.
            UniqueKeyTaken: another live job has its unique key by now.
        """
        return reading.job(await self._connection.say(Ask("POST", _of_job(id, "/retry"), repeatable=False)))

    async def pause(self, queue: str) -> RuleJson:
        """Let no job of a queue start. Gives what holds for it now."""
        return await self._rule(queue, "pause")

    async def resume(self, queue: str) -> RuleJson:
        """Let the jobs of a queue start again."""
        return await self._rule(queue, "resume")

    async def _rule(self, queue: str, verb: str) -> RuleJson:
        return reading.rule(await self._connection.say(Ask("POST", f"/queues/{options.queue(queue)}/{verb}")))


def _of_job(id: str, below: str = "") -> str:
    """The path of a job. Raises JobNotFound: none can have this id."""
    if not options.is_id(id):
        raise JobNotFound(f"There is no job {id!a}.", why="That is no id.")
    return f"/jobs/{id}{below}"


def client_of(url: str, *, api_key: str | None, catalogue: Catalogue, max_body: int) -> RemoteClient:
    """The client of an app whose jobs are behind a server. Raises BadSetting: the URL or the key cannot be used."""
    return RemoteClient(Connection(url, api_key=api_key), catalogue=catalogue, max_body=max_body)
