"""Callers who enqueue many jobs in a transaction of their own, which commits later, or never."""

from __future__ import annotations

import random

from ferryman.client.admission import Admission
from ferryman.client.request import JobRequest
from ferryman.domain.errors import QueueFull, StoreError
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.store.protocol import Inserted, Verdict
from ferryman.testing.history import entries
from tests.simulation import people
from tests.simulation.loop import pause
from tests.simulation.plan import CrowdPlan, JobPlan
from tests.simulation.postgres.connection import at_once
from tests.simulation.postgres.server import TOGETHER
from tests.simulation.process import Process

FEW = 10
"""So many may come before one gate at once: a sequence of more would not end in good time."""
ROLLED_BACK = "rolled back"
"""Stands where an answer has a code, for a caller who took everything back."""


async def enqueue_together(process: Process, crowd: CrowdPlan, job: JobPlan, ids: list[str], max_pending: int) -> None:
    """One transaction, from its first enqueue to its end, with such jobs under these ids; runs in the process."""
    connection = process.connection
    assert connection is not None
    said = Answers(process)
    admission = Admission(process.registry, process.clock, IdMinter(random.Random(0)))
    try:
        connection.require(TOGETHER)
    except StoreError:
        return  # nothing was enqueued
    transaction = connection.server.begin(connection.process, TOGETHER)
    jobs: list[NewJob] = []
    for id in ids:
        request = _request(crowd, job, id)
        said.asked(request)
        jobs.append(admission.admit(request))
        await pause(crowd.seconds / len(ids))
    if crowd.undone:
        if transaction.open:
            connection.server.roll_back(transaction)
        said.all(jobs, "refused", ROLLED_BACK)
        return

    def work() -> Inserted:
        memory = connection.server.memory
        inserted = at_once(memory.insert(jobs, process.clock.now(), max_pending=max_pending))
        new = [each.id for each in inserted.receipts if each.verdict is Verdict.INSERTED]
        if new:
            process.notes.note(entries.Inserted, process.name, jobs=new)
        return inserted

    try:
        inserted = await connection.conclude(transaction, work)
    except StoreError as error:
        said.all(jobs, "unknown", error.code)
    else:
        said.each(inserted)


def _request(crowd: CrowdPlan, job: JobPlan, id: str) -> JobRequest:
    return JobRequest(
        job.type,
        f'{{"plan":{crowd.job}}}',
        queue=job.queue,
        priority=job.priority,
        max_attempts=job.max_attempts,
        timeout=job.timeout,
        id=id,
        key=job.key if crowd.count <= FEW else None,
    )


class Answers:
    """What is noted of such a transaction."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def asked(self, request: JobRequest) -> None:
        """A job is enqueued; nobody else sees it yet."""
        assert request.id is not None
        assert request.queue is not None and request.priority is not None and request.max_attempts is not None
        self._process.notes.note(
            entries.Asked,
            self._process.name,
            request=request.id,
            job=request.id,
            type=request.type,
            queue=request.queue,
            priority=request.priority,
            max_attempts=request.max_attempts,
            together=True,
            key=request.key,
            gate=people.gate_of(self._process, request),
        )

    def all(self, jobs: list[NewJob], verdict: entries.Verdict, code: str) -> None:
        """They end alike."""
        for job in jobs:
            self._answered(job.id, verdict, code)

    def each(self, inserted: Inserted) -> None:
        """The transaction is committed; some of its jobs may have found their queue full."""
        for receipt in inserted.receipts:
            stored = receipt.verdict is Verdict.INSERTED
            self._answered(receipt.id, "accepted" if stored else "refused", None if stored else QueueFull.code)

    def _answered(self, job: str, verdict: entries.Verdict, code: str | None) -> None:
        self._process.notes.note(
            entries.Answered,
            self._process.name,
            request=job,
            job=job if verdict == "accepted" else None,
            verdict=verdict,
            code=code,
        )
