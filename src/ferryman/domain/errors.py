"""Every error Ferryman raises, drawn as a tree; each has a code, says what, why and what to do.

FerrymanError
├── SettingsError                FM1xx settings and targets
│   ├── BadSetting               FM101
│   ├── UnknownSetting           FM102
│   ├── BadSettingsFile          FM103
│   ├── TargetNotFound           FM110
│   ├── TargetBroken             FM111
│   ├── TargetWithoutApp         FM112
│   ├── StartupFailed            FM113
│   ├── PortInUse                FM120
│   ├── ToolMissing              FM121
│   └── NotConfirmed             FM122
├── StoreError                   FM2xx the store
│   ├── DatabaseIsFolder         FM201
│   ├── DatabaseReadOnly         FM202
│   ├── DatabaseFolderMissing    FM203
│   ├── NotADatabase             FM204
│   ├── SchemaTooNew             FM205
│   ├── NetworkFileSystem        FM206
│   ├── StoreBusy                FM207
│   ├── StoreFull                FM208
│   ├── StoreFailed              FM209
│   ├── StoreClosed              FM210
│   ├── IllegalTransition        FM211
│   ├── NodeNotLive              FM212
│   ├── SqliteTooOld             FM213
│   ├── DatabaseMissing          FM214
│   ├── TransactionImpossible    FM216
│   └── TransactionTimedOut      FM217
├── EnqueueError                 FM3xx enqueue and payload
│   ├── NotSerialisable          FM301
│   ├── WrongArgumentType        FM302
│   ├── UnknownArgument          FM303
│   ├── MissingArgument          FM304
│   ├── PayloadTooLarge          FM305
│   ├── BadText                  FM306
│   ├── BadNumber                FM307
│   ├── DuplicateMember          FM308
│   ├── TooDeep                  FM309
│   ├── UnknownType              FM310
│   ├── BadOption                FM311
│   ├── UniqueKeyTaken           FM312
│   ├── IdempotencyKeyReused     FM313
│   ├── QueueFull                FM314
│   ├── SyncInsideLoop           FM315
│   ├── WouldWaitForever         FM316
│   ├── AlreadyTesting           FM317
│   └── NotAwaited               FM318
├── RequestError                 FM4xx HTTP and state
│   ├── MalformedJson            FM400
│   ├── BadParameter             FM401
│   ├── MalformedRequest         FM402
│   ├── JobNotFound              FM404
│   ├── MethodNotAllowed         FM405
│   ├── NotAcceptable            FM406
│   ├── WrongState               FM409
│   ├── BodyTooLarge             FM413
│   ├── WrongContentType         FM415
│   ├── NodeNotFound             FM416
│   ├── WrongContent             FM422
│   ├── RouteNotFound            FM440
│   ├── ShuttingDown             FM450
│   └── InternalError            FM499
└── HandlerError                 FM5xx handlers and how runs end
    ├── HandlerRaised            FM501
    ├── HandlerTimedOut          FM502
    ├── ResultNotSerialisable    FM503
    ├── ResultTooLarge           FM504
    ├── RunLost                  FM505
    ├── RunInterrupted           FM506
    ├── CancellationSwallowed    FM507
    ├── PayloadMismatch          FM508
    ├── HandlerExited            FM509
    ├── JobExpired               FM510
    ├── BadHandler               FM511
    ├── DuplicateType            FM512
    ├── JobFailed                FM513
    ├── JobCancelled             FM514
    ├── ResultTimeout            FM515
    ├── HandlerKilled            FM516
    ├── HandlerProcessExited     FM517
    ├── HandlerOutOfMemory       FM518
    ├── ClaimLost                FM519
    ├── AlreadyCommitted         FM520
    ├── ProcessNotStarted        FM521
    └── LoopBlocked              FM522
"""

from __future__ import annotations

DOCS = "https://ferryman.readthedocs.io/errors"


class FerrymanError(Exception):
    """What happened, why, and what to do; `code` names it for ever (docs/errors.md)."""

    code = "FM000"

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    @property
    def link(self) -> str:
        """The page that explains this code."""
        return f"{DOCS}#{self.code}"

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.code}:", self.what, self.why, self.hint) if part)


class SettingsError(FerrymanError):
    """A setting or a target is wrong."""

    code = "FM100"


class BadSetting(SettingsError):
    """A setting has a value that is not allowed."""

    code = "FM101"


class UnknownSetting(SettingsError):
    """A setting has a name that does not exist."""

    code = "FM102"


class BadSettingsFile(SettingsError):
    """The settings file cannot be read as TOML."""

    code = "FM103"


class TargetNotFound(SettingsError):
    """The file or module that should hold the app is not there."""

    code = "FM110"


class TargetBroken(SettingsError):
    """The target raised while it was imported."""

    code = "FM111"


class TargetWithoutApp(SettingsError):
    """The target was imported, but holds no `Ferryman` object."""

    code = "FM112"


class StartupFailed(SettingsError):
    """A startup hook of the app raised; nothing was started."""

    code = "FM113"


class PortInUse(SettingsError):
    """The address to serve on cannot be had."""

    code = "FM120"


class ToolMissing(SettingsError):
    """A command or package that is needed is not installed."""

    code = "FM121"


class NotConfirmed(SettingsError):
    """A command that changes many jobs was neither confirmed nor told --yes; nothing was changed."""

    code = "FM122"


class StoreError(FerrymanError):
    """The store cannot do what was asked."""

    code = "FM200"


class DatabaseIsFolder(StoreError):
    """The database path names a folder."""

    code = "FM201"


class DatabaseReadOnly(StoreError):
    """The database or its folder cannot be written."""

    code = "FM202"


class DatabaseFolderMissing(StoreError):
    """The folder of the database does not exist."""

    code = "FM203"


class NotADatabase(StoreError):
    """The file is not a SQLite database, or not one of Ferryman's."""

    code = "FM204"


class SchemaTooNew(StoreError):
    """A newer Ferryman has migrated the database."""

    code = "FM205"


class NetworkFileSystem(StoreError):
    """The database lies where SQLite's locks do not hold."""

    code = "FM206"


class StoreBusy(StoreError):
    """Somebody else held the write lock for too long; nothing was written."""

    code = "FM207"


class StoreFull(StoreError):
    """The disk is full; nothing was written."""

    code = "FM208"


class StoreFailed(StoreError):
    """The database reported an error that no other code names."""

    code = "FM209"


class StoreClosed(StoreError):
    """The store was used after it was closed."""

    code = "FM210"


class IllegalTransition(StoreError):
    """A change of status that the transition table does not have."""

    code = "FM211"


class NodeNotLive(StoreError):
    """A node that was rescued, or never registered, tried to claim."""

    code = "FM212"


class SqliteTooOld(StoreError):
    """This Python comes with a SQLite that lacks what the store needs."""

    code = "FM213"


class DatabaseMissing(StoreError):
    """There is no database whose jobs a command could show or change."""

    code = "FM214"


class TransactionImpossible(StoreError):
    """The transaction cannot be had, or the connection cannot be used for it."""

    code = "FM216"


class TransactionTimedOut(StoreError, TimeoutError):
    """A handler's transaction lasted longer than TRANSACTION_TIMEOUT and was rolled back."""

    code = "FM217"


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
    """The queue holds MAX_PENDING jobs; `retry_after` is in whole seconds."""

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


class RequestError(FerrymanError):
    """A request cannot be answered as asked."""

    code = "FM4XX"


class MalformedJson(RequestError):
    """The body is not JSON."""

    code = "FM400"


class BadParameter(RequestError):
    """A query parameter is unknown or has a bad value."""

    code = "FM401"


class MalformedRequest(RequestError):
    """The bytes are not an HTTP request."""

    code = "FM402"


class JobNotFound(RequestError):
    """No job has this id, or retention has passed."""

    code = "FM404"


class MethodNotAllowed(RequestError):
    """The path does not take this method."""

    code = "FM405"


class NotAcceptable(RequestError):
    """No representation fits the Accept header."""

    code = "FM406"


class WrongState(RequestError):
    """The job's status does not allow this."""

    code = "FM409"


class BodyTooLarge(RequestError):
    """The body is over MAX_BODY."""

    code = "FM413"


class WrongContentType(RequestError):
    """The body is not application/json."""

    code = "FM415"


class NodeNotFound(RequestError):
    """No node has this id, or it ended too long ago."""

    code = "FM416"


class WrongContent(RequestError):
    """The JSON is valid, its content is not; `errors` lists (pointer, message) pairs."""

    code = "FM422"

    def __init__(self, what: str, *, errors: tuple[tuple[str, str], ...] = (), why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.errors = errors


class RouteNotFound(RequestError):
    """There is nothing at this path."""

    code = "FM440"


class ShuttingDown(RequestError):
    """The node is stopping and takes nothing more."""

    code = "FM450"


class InternalError(RequestError):
    """Something broke that no other code names: a fault of Ferryman's own."""

    code = "FM499"


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
