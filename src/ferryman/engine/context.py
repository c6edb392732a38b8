"""What a handler sees of its own run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ferryman.domain import options
from ferryman.domain.errors import AlreadyCommitted, TransactionImpossible
from ferryman.domain.job import MICROS, ClaimedJob, NewJob

if TYPE_CHECKING:  # a handler's module needs neither the event loop nor threads
    from ferryman.engine.running import Running
    from ferryman.engine.transaction import Transaction

log: Final = logging.getLogger("ferryman.handler")


class CallOfJob(Protocol):
    """What `job.call(...)` gives."""

    @property
    def request(self) -> Any:
        """What is asked for."""
        ...


class JobView:
    """The job as its handler sees it."""

    def __init__(self, job: ClaimedJob) -> None:
        self._job = job

    @property
    def id(self) -> str:
        """Stable over all attempts: the key for effects that must happen once."""
        return self._job.id

    @property
    def type(self) -> str:
        """Which handler runs it."""
        return self._job.lane.type

    @property
    def queue(self) -> str:
        """The queue it stood in."""
        return self._job.lane.queue

    @property
    def priority(self) -> int:
        """0 to 9; lower runs first."""
        return self._job.lane.priority

    @cached_property
    def payload(self) -> Any:
        """The payload as it was handed in, decoded from JSON and nothing more."""
        return msgspec.json.decode(self._job.payload)

    @property
    def attempt(self) -> int:
        """Which attempt this run is, counting from 1."""
        return self._job.attempt

    @property
    def max_attempts(self) -> int:
        """How many attempts the job has in all."""
        return self._job.max_attempts

    @property
    def created_at(self) -> datetime:
        """When it was enqueued, in UTC."""
        return datetime.fromtimestamp(self._job.created_at / MICROS, UTC)

    @property
    def run_at(self) -> datetime | None:
        """Not before this time, in UTC; of a schedule's job it is the tick. None: it was to run at once."""
        run_at = self._job.run_at
        return None if run_at is None else datetime.fromtimestamp(run_at / MICROS, UTC)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that it was enqueued with."""
        return self._job.tags


class Context:
    """Given as first argument to handlers that were declared with `@app.job_with_context`."""

    def __init__(
        self,
        running: Running,
        deadline: float | None,
        admit: Callable[[Any], NewJob],
        transaction: Callable[..., Transaction] | None,
        *,
        final: bool | None = None,
    ) -> None:
        self._running = running
        self._admit = admit
        self._transaction = transaction
        self._final = final
        self._follow_ups: list[NewJob] = []
        running.follow_ups = self._follow_ups
        self.deadline = deadline
        """When the handler is stopped, in seconds of `time.monotonic()`; None where it may take for ever."""

    @cached_property
    def job(self) -> JobView:
        """The job."""
        return JobView(self._running.job)

    @property
    def claim(self) -> int:
        """The claim number: grows with every run of the job, never goes down. A fence for the handler's own effects."""
        return self._running.job.number

    @property
    def attempt(self) -> int:
        """Which attempt this run is, counting from 1."""
        return self._running.job.attempt

    @property
    def final(self) -> bool:
        """Whether no other attempt follows if this one fails.

        A handler sees whether its attempts are spent; an `on_failure` hook also, whether the job's rules forbid to
        try again after this error.
        """
        job = self._running.job
        return job.attempt >= job.max_attempts if self._final is None else self._final

    @property
    def cancelled(self) -> bool:
        """Whether the run was asked to end; a handler in a thread should look now and then."""
        return self._running.reason is not None

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the run is; of all that it says the newest counts.

        Never waits; works on the loop, in threads and in worker processes, as often as one likes: it is written about
        once a second, and the last time before the run ends. A run that has lost its claim is not heard, and not told.

        Args:
            done: how much is done, in whatever unit; from 0 on.
            total: how much there is to do, if that is known.
            message: for people; cut after 4,096 characters.

        Raises:
            BadOption: one of them is no such value.
        """
        done = options.amount("done", done)
        total = None if total is None else options.amount("total", total)
        message = options.message(message)
        if self._running.listener is not None:
            self._running.listener.progress(self._running, done, total, message)

    def transaction(self, *, using: Any = None) -> Transaction:
        """A transaction in the store's own database: `with` in a `def` handler, `async with` on the loop.

        What the block writes, the follow-ups of `ctx.enqueue` and the run's completion commit together when the
        block ends, if the run still has its claim; nothing of it does when the block raises. From then on the
        job is completed, with the transaction's `result`. At most one commits per run. On SQLite it may last for
        TRANSACTION_TIMEOUT; on PostgreSQL the server ends it when nothing is said in it for 8
        seconds, or for four fifths of LEASE where that is less.

        Args:
            using: PostgreSQL only: what to write with instead of a connection of the node's own. A connection or pool
                of asyncpg's or psycopg's, or an engine, sessionmaker, connection or session of SQLAlchemy's, to the
                store's database and with no transaction open; of the kind that is awaited in `async with`.

        Raises:
            TransactionImpossible: the store has no transactions, or the handler runs in a worker process.
        """
        if self._transaction is None:
            raise TransactionImpossible(
                "This store has no transactions for handlers.",
                hint="SQLite and PostgreSQL have: DATABASE_URL=sqlite:///jobs.db",
            )
        return self._transaction(using=using)

    def enqueue(self, call: CallOfJob) -> str:
        """Enqueue a job together with this run's completion: it exists if the run completes, and only then.

        `call` is what `job.call(...)` gives, with whatever delay and options. Never waits; works on the loop, in
        threads and in worker processes. Nothing is stored before the handler has returned (or its transaction has
        committed), and nothing at all if it raises, snoozes, is cut off, or has lost its claim. If by then a live job
        has the unique key, or one has used the idempotency key, that job stands and this one is not made.

        Returns:
            The id that the job will have.

        Raises:
            EnqueueError: the job is refused.
            AlreadyCommitted: the run's completion was written before.
        """
        request = getattr(call, "request", None)
        if request is None:
            raise options.refused("a call", call, "what job.call(...) gives")
        if self._running.ended or self._running.committed is not None:
            raise AlreadyCommitted(
                f"The run of job {self.job.id} has ended, so it takes no more follow-ups.",
                hint="Enqueue before the handler returns, and before its transaction commits.",
            )
        job = self._admit(request)
        self._follow_ups.append(job)
        return job.id

    @cached_property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines name the job, its attempt and its worker."""
        job, worker = self._running.job, self._running.slot.id
        fields = {
            "job_id": job.id,
            "type": job.lane.type,
            "queue": job.lane.queue,
            "attempt": job.attempt,
            "worker_id": worker,
            "node": worker.partition("/")[0],
        }
        return logging.LoggerAdapter(log, fields)
