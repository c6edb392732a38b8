"""Handlers, and how runs end: FM5xx."""

from __future__ import annotations

from ferryman.domain.errors.base import FerrymanError


class HandlerError(FerrymanError):
    """Something about a handler or the end of a run."""

    code = "FM500"


class HandlerRaised(HandlerError):
    """The handler raised an exception."""

    code = "FM501"


class HandlerTimedOut(HandlerError, TimeoutError):
    """The handler ran longer than its timeout; a retry rule for TimeoutError fits it."""

    code = "FM502"


class ResultNotSerialisable(HandlerError):
    """The handler returned something that has no JSON form."""

    code = "FM503"


class ResultTooLarge(HandlerError):
    """The result is over MAX_RESULT."""

    code = "FM504"


class RunLost(HandlerError):
    """The node died while it held the claim."""

    code = "FM505"


class RunInterrupted(HandlerError):
    """The node stopped before the handler had ended."""

    code = "FM506"


class CancellationSwallowed(HandlerError):
    """The handler caught its cancellation and went on."""

    code = "FM507"


class PayloadMismatch(HandlerError):
    """A stored payload does not fit the handler's present signature."""

    code = "FM508"


class HandlerExited(HandlerError):
    """The handler raised SystemExit, KeyboardInterrupt or another BaseException."""

    code = "FM509"


class JobExpired(HandlerError):
    """The job was not started before its expires_at."""

    code = "FM510"


class BadHandler(HandlerError):
    """The function cannot be a handler as declared."""

    code = "FM511"


class DuplicateType(HandlerError):
    """Two handlers claim one type."""

    code = "FM512"


class JobFailed(HandlerError):
    """Raised by `Handle.result`: the job ended failed; the `error_` fields say how its last attempt ended."""

    code = "FM513"

    def __init__(
        self,
        what: str,
        *,
        error_code: str = "",
        error_type: str = "",
        error_message: str = "",
        why: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.error_code = error_code
        self.error_type = error_type
        self.error_message = error_message


class JobCancelled(HandlerError):
    """Raised by `Handle.result`: the job was cancelled."""

    code = "FM514"


class ResultTimeout(HandlerError, TimeoutError):
    """Raised by `Handle.result`: the job had not ended in time."""

    code = "FM515"


class HandlerKilled(HandlerError):
    """A signal that was not Ferryman's ended the worker process in the middle of a run."""

    code = "FM516"


class HandlerProcessExited(HandlerError):
    """The worker process exited in the middle of a run."""

    code = "FM517"


class HandlerOutOfMemory(HandlerError):
    """The kernel killed the worker process because memory ran out."""

    code = "FM518"


class ClaimLost(HandlerError):
    """The run has lost its claim, so nothing of its transaction was written."""

    code = "FM519"


class AlreadyCommitted(HandlerError):
    """The run's completion is written; whatever comes later counts for nothing."""

    code = "FM520"


class ProcessNotStarted(HandlerError):
    """The worker process could not start, or could not find the handler; `traceback` says where, if it is known."""

    code = "FM521"

    def __init__(self, what: str, *, traceback: str | None = None, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.traceback = traceback


class LoopBlocked(HandlerError):
    """A handler blocks the event loop, and with it all other jobs of its process. Only the log says so."""

    code = "FM522"
