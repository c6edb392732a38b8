"""The client: enqueue, read, cancel, retry, wait.

One client lives on one event loop. Enqueues that are awaited at the same time share a commit.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing

from ferryman.client.about import About, look
from ferryman.client.access import ApiKeys
from ferryman.client.admission import Admission
from ferryman.client.cancelling import Cancelling
from ferryman.client.charts import Charts
from ferryman.client.chunks import CHUNK, achunks, tally
from ferryman.client.commanding import Commanding
from ferryman.client.controls import Controls
from ferryman.client.deeds import Deeds
from ferryman.client.error_groups import ErrorGroups
from ferryman.client.explaining import Explaining
from ferryman.client.finding import Finding
from ferryman.client.inserter import Inserter, patiently
from ferryman.client.intake import Intake
from ferryman.client.joining import Joining
from ferryman.client.keys import Keys
from ferryman.client.known import Asking
from ferryman.client.listening import ALL, Heard, Listening, Wanted
from ferryman.client.many import Many
from ferryman.client.operations import Operations
from ferryman.client.pressure import Pressure
from ferryman.client.pulses import Pulses
from ferryman.client.reports import Reports
from ferryman.client.request import MAX_BODY_DEFAULT, Accepted, Catalogue, JobRequest, no_such_job
from ferryman.client.retrying import Retrying
from ferryman.client.rules import Rules
from ferryman.client.schedules import Schedules
from ferryman.client.waiting import Waiting
from ferryman.client.watching import JobWatcher
from ferryman.domain import filters, options
from ferryman.domain.audit import PYTHON
from ferryman.domain.bounds import Bound
from ferryman.domain.errors import ResultTimeout
from ferryman.domain.events import Events
from ferryman.domain.explain import Explanation
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, Job
from ferryman.domain.state import TERMINAL
from ferryman.store.protocol import (
    AuditFilter,
    Clock,
    Counts,
    Declaration,
    DirectDispatch,
    Entry,
    JobFilter,
    NodeStatus,
    Page,
    Store,
    Wakeup,
)
from ferryman.store.transactions import Joins
from ferryman.store.watching import Version


class Client:
    """What a person may say about jobs. Every error is one of `ferryman.errors`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: IdMinter,
        wakeup: Wakeup,
        *,
        events: Events,
        catalogue: Catalogue,
        max_body: int = MAX_BODY_DEFAULT,
        max_pending: Bound = 0,
        max_age: Bound = 0,
        accept_unknown_types: bool = False,
        direct: DirectDispatch | None = None,
        on_close: Callable[[], None] | None = None,
        joins: Joins | None = None,
        actor: str = PYTHON,
    ) -> None:
        """Make a client; it says what it did to `wakeup` and `events` once that is durable.

        Args:
            catalogue: the types declared in this process.
            max_body: bytes that a payload may have.
            max_pending: how many jobs may wait in a queue; 0 is no bound.
            max_age: for how many seconds the first pending job of a queue may have been ready before the queue takes
                no more; 0 is no bound. Jobs that go in through connections of others are not judged by it.
            accept_unknown_types: whether a type may be enqueued that no node ever registered.
            direct: the node's offer to start jobs in the commit that inserts them.
            on_close: closes what else belongs to this client, after the store; it may be called twice.
            joins: the store's way into other transactions.
            actor: who changes something, for the audit log, where a verb does not say `by` whom it is said.
        """
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        pressure = Pressure(store, clock, max_pending=max_pending, max_age=max_age)
        self._inserter = Inserter(store, clock, wakeup, events, pressure=pressure, direct=direct)
        admission = Admission(catalogue, clock, ids, max_body=max_body, accept_unknown_types=accept_unknown_types)
        self._types = Asking(store, catalogue, admission.known)
        self.joining = Joining(joins, admission, clock, max_pending)
        """Takes jobs through the connections of others; from any thread, whether this client is open or not."""
        self._intake = intake = Intake(store, clock, ids, catalogue, self._types, self._inserter, pressure, max_body)
        deeds = Deeds(clock, actor)
        self.rules = Rules(store, wakeup, deeds)
        """What holds for all jobs of a queue or a type."""
        self.many = Many(self._types, intake, self._inserter, pressure)
        """Many jobs in one commit, each with an answer of its own, or all or none."""
        self._explaining = Explaining(store, clock, pressure)
        self._finding = finding = Finding(store, clock, self._types)
        self._cancelling = Cancelling(store, clock, wakeup, events, deeds, self.get, finding)
        self._retrying = Retrying(store, clock, wakeup, events, deeds, self.get, finding)
        self.controls = Controls(store, clock, wakeup, deeds, self.get, finding, self._cancelling, self._retrying)
        """What those say who look after queues."""
        self.operations = Operations(store, clock, ids, deeds, finding, self.controls.placement)
        """Changes of every job that a filter means, which nodes carry out."""
        self.schedules = Schedules(store, clock, self._types, deeds, self._inserter, intake)
        """What a person may say about schedules."""
        self.keys = Keys(store, wakeup, deeds)
        """The keys of jobs, and their gates."""
        self.commanding = Commanding(store, clock, deeds)
        """What operators tell nodes."""
        self.access = ApiKeys(store, clock, deeds)
        """Who may use the HTTP API."""
        self.watcher = JobWatcher(store, clock)
        """Looks at the jobs for whose changes somebody waits."""
        self.waiting = Waiting(self.watcher, self.get)
        """For what becomes of a job."""
        self.listening = Listening(store, clock)
        """For what happens to all jobs."""
        self.pulses = Pulses(store, clock)
        """For how many jobs there are."""
        self.reports = Reports(store, self.get)
        """What runs say of themselves."""
        self.charts = Charts(store, clock)
        """What happened lately."""
        self.errors = ErrorGroups(store, clock)
        """What attempts have failed of."""
        self._on_close = on_close
        events.listen(self.watcher.listen)

    async def open(self) -> None:
        """Open the store. Raises StoreError."""
        await self._store.open()

    async def close(self) -> None:
        """Answer every enqueue under way, then close the store; idempotent."""
        await self._inserter.flush()
        await self._store.close()
        await self.watcher.close()
        await self.listening.close()
        await self.pulses.close()
        if self._on_close is not None:
            self._on_close()

    # -- handing in ------------------------------------------------------------------------------

    async def enqueue(self, request: JobRequest, wait: float = 0) -> Accepted:
        """Hand a job in; it is durable when this returns.

        Args:
            request: the job.
            wait: so many seconds to wait for room where its queue is full.

        Raises:
            EnqueueError: the request was refused; nothing was stored. QueueFull says when to come again.
            QueueForbidden: it is limited to queues, and was for another one, or a job in another one has its key.
            StoreError: the store failed, or stayed busy for two seconds. The job may have been stored all
                the same; a request that carries its `id` can be said again without doubling.
        """
        return await self._intake.enqueue(request, wait)

    async def enqueue_many(self, requests: Iterable[JobRequest] | AsyncIterable[JobRequest]) -> int:
        """Hand in any number of jobs, a thousand to a commit; returns how many requests were accepted.

        Never holds more than one chunk. The first refusal ends it: the chunks before it are stored; of its
        own chunk everything else is stored if the store refused it (a taken key, a full queue), and nothing
        if the request itself was wrong. A note on the error says how many were accepted before.

        Raises: as `enqueue`.
        """
        with tally() as found:
            async for chunk in achunks(requests):
                found.accepted += await self.enqueue_chunk(chunk)
        return found.accepted

    async def enqueue_chunk(self, requests: Sequence[JobRequest]) -> int:
        """Hand in a few jobs, at most about a thousand, in one commit; returns how many.

        Raises: as `enqueue`, for the first refusal; see `enqueue_many` for what is stored then.
        """
        return await self._intake.enqueue_chunk(requests)

    async def wake(self) -> None:
        """Tell every node that there may be work: somebody has committed jobs where we could not see it."""
        self._wakeup.work()
        self._wakeup.scheduled(0)

    # -- reading ---------------------------------------------------------------------------------

    async def get(self, id: str) -> Job:
        """One job. Raises JobNotFound, also where its retention has passed."""
        job = await self._store.get(id, self._clock.now()) if options.is_id(id) else None
        if job is None:
            raise no_such_job(id)
        return job

    async def list(self, filter: JobFilter | str) -> Page:
        """A page of jobs in the order of their ids, which is the order in which they were made.

        It ends short once so many jobs were looked at that do not fit as the filter says; `next` tells where to go on.

        Args:
            filter: which, also as a text such as "status:failed type:mail.*" (docs/filters.md).

        Raises:
            BadFilter: the text cannot be read.
        """
        return await self._finding.list(self.read_filter(filter) if isinstance(filter, str) else filter)

    def read_filter(self, text: str) -> JobFilter:
        """The filter that a text means now. Raises BadFilter."""
        return filters.parse(text, self._clock.now())

    async def shown(self, job: Job) -> Job:
        """The job as others may see it: what its type declares as secret, here or else on a node, is `***`."""
        [shown] = await self.all_shown([job])
        return shown

    async def all_shown(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Each job as `shown` gives it."""
        return await self._types.shown(jobs)

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """Every ended run of a job, oldest first. Raises JobNotFound."""
        await self.get(id)
        return await self._store.attempts(id)

    async def explain(self, id: str) -> Explanation:
        """Why a job has not started: each condition that must hold, and which do not. Raises JobNotFound."""
        job = await self.get(id)
        return await self._explaining.explain(job)

    async def counts(self) -> Counts:
        """How many jobs there are by status, and how many came and ended: exact, and cheap also for a million."""
        return await self._store.counts(self._clock.now())

    async def nodes(self) -> Sequence[NodeStatus]:
        """The nodes that have not ended, and those that ended within the last hour."""
        return await self._store.nodes(self._clock.now())

    async def about(self, lease: float) -> About:
        """What the store is, and what is not as it should be; `lease` is how many seconds a node may say nothing."""
        return await look(self._store, self._clock, lease)

    async def types(self) -> Mapping[str, Declaration]:
        """Every type that a node has ever registered, with what the latest one declared of it."""
        return await self._store.known_types()

    async def audit(self, filter: AuditFilter, after: int | None = None, limit: int = 1000) -> Sequence[Entry]:
        """What operators did, the newest first, from after the entry of a number on."""
        asked = (filter.actor, filter.action, filter.target)
        if not all(text is None or options.is_clean(text) for text in asked):
            return []  # what no store can keep nobody did, and no database can be asked for it
        return await self._store.audit(filter, after, limit)

    async def events(self, wanted: Wanted = ALL, seen: str | None = None) -> AsyncGenerator[Heard]:
        """What happens to jobs, as it is heard of: that they were stored, and each outcome; see `Heard`.

        It begins when the first is asked for: what was asked of the store before that is not told.

        Args:
            wanted: of which changes to tell.
            seen: the tag of the position up to which everything is known already, to go on from there.

        Raises:
            StoreError: the store failed.
        """
        start = await self.listening.begin(seen)
        async with aclosing(self.listening.follow(start, wanted)) as news:
            async for heard in news:
                yield heard

    async def wait(self, id: str, timeout: float | None = None) -> Job:  # noqa: ASYNC109 - it gives an error that says more
        """The job once it has ended; it may have been sent back by hand since.

        An end in this process is noticed at once, one in another process within `watching.INTERVAL`.

        Args:
            timeout: seconds to wait; None is no bound.

        Raises:
            JobNotFound: there is no such job (any more).
            ResultTimeout: it had not ended in time.
            StoreError: the store failed at the first look; later ones are made again.
        """
        seconds = math.inf if timeout is None else timeout
        job = await self.waiting.settled(id, seconds)
        if job.status not in TERMINAL:
            raise ResultTimeout(f"Job {id} is {job.status} after {seconds:g} s.", hint="Wait longer for it.")
        return job

    # -- changing --------------------------------------------------------------------------------

    async def cancel(self, id: str, *, by: str | None = None, expected: Version | None = None) -> Job:
        """Cancel a job that waits; ask the handler of a running one to end. Gives the job as it then was.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it has ended already.
        """
        return await self._cancelling.cancel(id, by=by, expected=expected)

    async def retry(self, id: str, *, by: str | None = None, expected: Version | None = None) -> Job:
        """Send a failed or cancelled job back to pending, with all its attempts. Gives the job as it then was.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it is neither failed nor cancelled.
            UniqueKeyTaken: another live job has its unique key by now.
        """
        return await self._retrying.retry(id, by=by, expected=expected)

    async def prune(self) -> AsyncIterator[int]:
        """Delete every ended job that retention no longer keeps, a thousand at a time; gives each round's count."""
        while True:
            yield await patiently(lambda: self._store.prune(self._clock.now(), CHUNK))
            if not self._store.prunes_on():
                return
