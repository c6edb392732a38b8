"""What clients do inside a process, noting what they ask and what they are told."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.client.request import Accepted, JobRequest
from ferryman.domain.errors import EnqueueError, FerrymanError
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.state import Status
from ferryman.testing.history import entries
from tests.simulation.process import Process


async def enqueue(process: Process, request: JobRequest) -> Accepted:
    """Ask once. The request is known by its id, or by its idempotency key.

    Raises:
        FerrymanError: it was refused, or nobody knows.
    """
    name = request.id or request.idempotency_key or ""
    assert request.queue is not None and request.priority is not None and request.max_attempts is not None
    process.notes.note(
        entries.Asked,
        process.name,
        request=name,
        job=request.id,
        type=request.type,
        queue=request.queue,
        priority=request.priority,
        max_attempts=request.max_attempts,
        scheduled=request.delay is not None,
        unique_key=request.unique_key,
        key=request.key,
        gate=gate_of(process, request),
    )

    def answered(verdict: entries.Verdict, job: str | None = None, code: str | None = None) -> None:
        process.notes.note(entries.Answered, process.name, request=name, job=job, verdict=verdict, code=code)

    try:
        accepted = await process.client.enqueue(request)
    except FerrymanError as error:
        answered("refused" if isinstance(error, EnqueueError) else "unknown", code=error.code)
        raise
    answered("replayed" if accepted.replayed else "existed" if accepted.existed else "accepted", accepted.id)
    return accepted


def gate_of(process: Process, request: JobRequest) -> GateRule | None:
    """What a job says of the gate of its key."""
    handler = process.registry.get(request.type)
    return None if request.key is None or handler is None or handler.keyed is None else handler.keyed.rule


async def enqueue_patiently(process: Process, request: JobRequest) -> bool:
    """Ask again while nobody knows; a caller has some patience. Whether there was an answer."""
    for _ in range(4):
        try:
            await enqueue(process, request)
        except EnqueueError:
            return True
        except FerrymanError:
            continue
        return True
    return False


async def cancel(process: Process, job: str) -> None:
    """Ask to cancel a job."""
    process.notes.note(entries.CancelAsked, process.name, job=job)
    try:
        after = (await process.client.cancel(job)).status.value
    except FerrymanError:
        after = None
    process.notes.note(entries.CancelAnswered, process.name, job=job, after=after)


async def retry(process: Process, job: str) -> None:
    """Ask to retry a job by hand."""
    process.notes.note(entries.RetryAsked, process.name, job=job)
    try:
        await process.client.retry(job)
    except FerrymanError:
        done = False
    else:
        done = True
    process.notes.note(entries.RetryAnswered, process.name, job=job, done=done)


async def hush(process: Process, schedule: str) -> bool:
    """Pause a schedule. Whether that was answered."""
    try:
        await process.client.schedules.pause(schedule)
    except FerrymanError:
        return False
    return True


async def rule(process: Process, scope: Scope, name: str, change: bool | Limit) -> None:
    """Ask to pause a queue or type, to resume it, or to change its limit."""
    notes, by, call = process.notes, process.name, process.notes.call()
    try:
        if isinstance(change, Limit):
            notes.note(entries.RuleAsked, by, call=call, scope=scope, name=name, limit=change)
            await process.store.limit(scope, name, change)
        else:
            notes.note(entries.RuleAsked, by, call=call, scope=scope, name=name, paused=change)
            await process.store.pause(scope, name, change)
    except FerrymanError:
        done = False
    else:
        done = True
    notes.note(entries.RuleAnswered, by, call=call, scope=scope, name=name, done=done)


async def end_rules(process: Process, rules: Sequence[Rule]) -> None:
    """Let what these rules are for be claimed as if there were none."""
    for each in rules:
        if each.paused:
            await rule(process, each.scope, each.name, False)
        if each.limit.is_bound:
            await rule(process, each.scope, each.name, Limit())


async def look(process: Process, job: str) -> Status | None:
    """Read a job."""
    asked = len(process.notes)
    try:
        found = await process.client.get(job)
    except FerrymanError:
        return None
    process.notes.note(
        entries.Looked,
        process.name,
        asked=asked,
        job=job,
        status=found.status.value,
        attempt=found.attempt,
        claim=found.claim,
    )
    return found.status
