"""Enqueue and payload: FM3xx."""

from __future__ import annotations

from ferryman.domain.errors.base import FerrymanError


class EnqueueError(FerrymanError):
    """A job was refused; nothing was stored."""

    code = "FM300"


class NotSerialisable(EnqueueError):
    """An argument has no JSON form."""

    code = "FM301"


class WrongArgumentType(EnqueueError):
    """An argument does not fit its annotation."""

    code = "FM302"


class UnknownArgument(EnqueueError):
    """The handler has no such parameter."""

    code = "FM303"


class MissingArgument(EnqueueError):
    """A parameter without default was not given."""

    code = "FM304"


class PayloadTooLarge(EnqueueError):
    """The payload is over MAX_BODY."""

    code = "FM305"


class BadText(EnqueueError):
    """A text holds NUL or a lone surrogate."""

    code = "FM306"


class BadNumber(EnqueueError):
    """A number is NaN, infinite or beyond 64 bits."""

    code = "FM307"


class DuplicateMember(EnqueueError):
    """A JSON object names a member twice."""

    code = "FM308"


class TooDeep(EnqueueError):
    """JSON is nested deeper than 64."""

    code = "FM309"


class UnknownType(EnqueueError):
    """No node has ever registered this type on this store."""

    code = "FM310"


class BadOption(EnqueueError):
    """An option of a job is out of range."""

    code = "FM311"


class UniqueKeyTaken(EnqueueError):
    """A live job of this type already has this unique key; `holder` is its id."""

    code = "FM312"

    def __init__(self, what: str, *, holder: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.holder = holder


class IdempotencyKeyReused(EnqueueError):
    """The idempotency key was used before, with another body."""

    code = "FM313"


class QueueFull(EnqueueError):
    """The queue holds MAX_PENDING jobs, or a job that is older than MAX_AGE; `retry_after` is in whole seconds."""

    code = "FM314"

    def __init__(self, what: str, *, retry_after: int, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.retry_after = retry_after


class SyncInsideLoop(EnqueueError):
    """A blocking call was made on a running event loop."""

    code = "FM315"


class WouldWaitForever(EnqueueError):
    """In a test with `app.testing()`, something is waited for that nothing will bring about."""

    code = "FM316"


class AlreadyTesting(EnqueueError):
    """`app.testing()` was entered for an app that is being tested already."""

    code = "FM317"


class NotAwaited(EnqueueError):
    """An `aenqueue` was called and thrown away: nothing was enqueued. Only a warning says so."""

    code = "FM318"


class CrashTestImpossible(EnqueueError):
    """`crash_test` has nothing to compare with, or cannot fork a node; nothing was tried."""

    code = "FM319"


class BadSchedule(EnqueueError):
    """A schedule has no such cron expression, or no such time zone."""

    code = "FM320"
