"""How a run that did not simply return ends: from an exception, or a reason, to an outcome."""

from __future__ import annotations

import traceback
from asyncio import CancelledError
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import msgspec

from ferryman.domain.errors import (
    HandlerError,
    HandlerExited,
    HandlerRaised,
    HandlerTimedOut,
    JobCancelled,
    JobExpired,
    PayloadMismatch,
    ProcessNotStarted,
    ResultNotSerialisable,
    ResultTooLarge,
)
from ferryman.domain.job import ClaimedJob, JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.retry import RetryPolicy
from ferryman.engine.culprit import frame_of
from ferryman.engine.running import Reason
from ferryman.engine.signals import Cancel, Retry, Snooze

TRACEBACK_MAX: Final = 16 * 1024
"""Characters of a traceback that are kept; its end says most."""
MESSAGE_MAX: Final = 4 * 1024

NOTHING: Final = Outcome(What.DONE, result="null")
RELEASED: Final = Outcome(What.RELEASED)
_OURS: Final = (
    "ferryman.engine.executor",
    "ferryman.engine.childrun",
    "ferryman.engine.middleware",
    "ferryman.engine.parttime",
    "ferryman.engine.threads",
    "ferryman.engine.trampoline",
)

Hide = Callable[[str], str]
"""Takes out of a text what is not to be kept; `str` takes out nothing."""


def expired() -> Outcome:
    """The job was still waiting at its expires_at."""
    return Outcome(
        What.CANCELLED,
        error=JobError(JobExpired.code, "JobExpired", "The job was not started before its expires_at."),
    )


def mismatched(error: PayloadMismatch) -> Outcome:
    """The payload does not fit the handler; another attempt would not change that."""
    message = " ".join(part for part in (error.what, error.why, error.hint) if part)
    return Outcome(What.FAILED, error=JobError(error.code, "PayloadMismatch", plain(message)), retryable=False)


def returned(value: Any, encode: Callable[[Any], str], max_result: int) -> Outcome:
    """The handler returned; `max_result` counts bytes of JSON."""
    if value is None:
        return NOTHING
    try:
        result = encode(value)
    except Exception as error:
        return bad_result(ResultNotSerialisable, f"The result has no JSON form: {error}")
    size = len(result) if result.isascii() else len(result.encode())
    if size > max_result:
        return bad_result(ResultTooLarge, f"The result has {size} bytes; MAX_RESULT allows {max_result}.")
    return Outcome(What.DONE, result=result)


def without(outcome: Outcome, hide: Hide) -> Outcome:
    """The outcome with an error from which something was taken out."""
    error = outcome.error
    if error is None or hide is str:
        return outcome
    where = None if error.traceback is None else hide(error.traceback)
    shown = msgspec.structs.replace(error, message=hide(error.message), traceback=where)
    return msgspec.structs.replace(outcome, error=shown)


def located(outcome: Outcome, stopped: Outcome | None) -> Outcome:
    """The outcome of a run that was cut off, with the place where its process stopped, if it still said so."""
    if outcome.error is None or stopped is None or stopped.error is None:
        return outcome
    error = msgspec.structs.replace(outcome.error, traceback=stopped.error.traceback, frame=stopped.error.frame)
    return msgspec.structs.replace(outcome, error=error)


def process_lost(error: HandlerError, job: ClaimedJob, policy: RetryPolicy, share: float) -> Outcome:
    """The handler's process ended under it, or never began: an attempt failed, whatever it was."""
    message = " ".join(part for part in (error.what, error.why, error.hint) if part)
    where = error.traceback if isinstance(error, ProcessNotStarted) else None
    told = JobError(error.code, type(error).__name__, plain(message)[:MESSAGE_MAX], where and end_of(where))
    return failed(told, policy.delay(error, job.attempt, share))


def bad_result(kind: type[HandlerError], message: str) -> Outcome:
    """The handler returned what cannot be kept; another attempt would return the same."""
    return Outcome(What.FAILED, error=JobError(kind.code, kind.__name__, plain(message)), retryable=False)


def raised(error: BaseException, job: ClaimedJob, policy: RetryPolicy, share: float, hide: Hide = str) -> Outcome:
    """The handler raised; `share` is random in [0, 1)."""
    match error:
        case Snooze():
            return Outcome(What.SNOOZED, delay=error.delay)
        case Cancel():
            told = JobError(JobCancelled.code, "Cancel", plain(hide(error.reason))) if error.reason else None
            return Outcome(What.CANCELLED, error=told)
        case Retry():
            delay = policy.backoff.delay(job.attempt, share) if error.delay is None else error.delay
            return failed(told_by(error, HandlerRaised, hide), delay)
        case _:
            # a CancelledError that nobody asked for is the handler's own failure, like any exception
            failure = isinstance(error, Exception | CancelledError)
            kind = HandlerRaised if failure else HandlerExited
            return failed(told_by(error, kind, hide), policy.delay(error, job.attempt, share))


def cut_off(
    reason: Reason,
    error: BaseException | None,
    seconds: float | None,
    job: ClaimedJob,
    policy: RetryPolicy,
    share: float,
    hide: Hide = str,
) -> Outcome:
    """The run was made to end; `error` is what the handler raised on its way out, `seconds` its timeout."""
    match reason:
        case Reason.CANCEL:
            return Outcome(What.CANCELLED)
        case Reason.INTERRUPT | Reason.LOST:
            return Outcome(What.INTERRUPTED)
        case Reason.TIMEOUT:
            late = HandlerTimedOut(f"The handler ran longer than its timeout of {seconds or 0:g} s.")
            where = None if error is None else traceback_of(error, hide)
            told = JobError(late.code, "HandlerTimedOut", late.what, where, None if error is None else _frame(error))
            return failed(told, policy.delay(late, job.attempt, share))


def failed(error: JobError, delay: float | None) -> Outcome:
    """A failed attempt; without a delay it is the last one."""
    return Outcome(What.FAILED, error=error, delay=delay, retryable=delay is not None)


def told_by(error: BaseException, kind: type[HandlerError], hide: Hide = str) -> JobError:
    """An exception as it is kept. What is to be hidden is so before the text is cut, which might leave half of it."""
    message = plain(hide(_message(error)))[:MESSAGE_MAX]
    return JobError(kind.code, plain(type(error).__name__), message, traceback_of(error, hide), _frame(error))


def traceback_of(error: BaseException, hide: Hide = str) -> str:
    """The traceback as Python prints it, from the handler inwards."""
    try:
        lines = traceback.format_exception(type(error), error, _handlers_part(error.__traceback__))
        text = plain(hide("".join(lines)))
    except Exception as broken:  # an exception's own __str__ or __repr__ may do anything
        text = f"The traceback cannot be printed: {type(broken).__name__}."
    return end_of(text)


def end_of(text: str) -> str:
    """As much of a traceback as is kept."""
    return text if len(text) <= TRACEBACK_MAX else "...\n" + text[4 - TRACEBACK_MAX :]


def plain(text: str) -> str:
    """Text that every store can keep: no NUL, no lone surrogate."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _frame(error: BaseException) -> str | None:
    found = frame_of(_handlers_part(error.__traceback__))
    return None if found is None else plain(found)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:
        return f"Its message cannot be printed: {type(broken).__name__}."


def _handlers_part(trace: TracebackType | None) -> TracebackType | None:
    """Without the frames by which we called the handler."""
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in _OURS:
        trace = trace.tb_next
    return trace
