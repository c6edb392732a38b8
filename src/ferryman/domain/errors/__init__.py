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
│   ├── NotConfirmed             FM122
│   └── OpenToAll                FM123
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
│   ├── TransactionTimedOut      FM217
│   ├── StoreUnreachable         FM218
│   ├── SchemaMissing            FM219
│   ├── ServerTooOld             FM220
│   ├── DriverMissing            FM221
│   └── CommitUnknown            FM222
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
│   ├── NotAwaited               FM318
│   ├── CrashTestImpossible      FM319
│   └── BadSchedule              FM320
├── RequestError                 FM4xx HTTP and state
│   ├── MalformedJson            FM400
│   ├── BadParameter             FM401
│   ├── MalformedRequest         FM402
│   ├── JobNotFound              FM404
│   ├── MethodNotAllowed         FM405
│   ├── NotAcceptable            FM406
│   ├── RequestTimeout           FM408
│   ├── WrongState               FM409
│   ├── PreconditionFailed       FM412
│   ├── BodyTooLarge             FM413
│   ├── WrongContentType         FM415
│   ├── NodeNotFound             FM416
│   ├── ScheduleNotFound         FM417
│   ├── KeyNotFound              FM418
│   ├── NodeEnded                FM419
│   ├── WrongContent             FM422
│   ├── BadFilter                FM423
│   ├── OperationNotFound        FM424
│   ├── ErrorGroupNotFound       FM425
│   ├── HeadTooLarge             FM431
│   ├── RouteNotFound            FM440
│   ├── ShuttingDown             FM450
│   ├── TooManyConnections       FM451
│   ├── ServerUnreachable        FM460
│   ├── RemoteError              FM461
│   └── InternalError            FM499
├── HandlerError                 FM5xx handlers and how runs end
│   ├── HandlerRaised            FM501
│   ├── HandlerTimedOut          FM502
│   ├── ResultNotSerialisable    FM503
│   ├── ResultTooLarge           FM504
│   ├── RunLost                  FM505
│   ├── RunInterrupted           FM506
│   ├── CancellationSwallowed    FM507
│   ├── PayloadMismatch          FM508
│   ├── HandlerExited            FM509
│   ├── JobExpired               FM510
│   ├── BadHandler               FM511
│   ├── DuplicateType            FM512
│   ├── JobFailed                FM513
│   ├── JobCancelled             FM514
│   ├── ResultTimeout            FM515
│   ├── HandlerKilled            FM516
│   ├── HandlerProcessExited     FM517
│   ├── HandlerOutOfMemory       FM518
│   ├── ClaimLost                FM519
│   ├── AlreadyCommitted         FM520
│   ├── ProcessNotStarted        FM521
│   └── LoopBlocked              FM522
└── AccessError                  FM6xx keys and rights
    ├── ApiKeyMissing            FM601
    ├── ApiKeyRefused            FM602
    ├── ScopeMissing             FM603
    ├── QueueForbidden           FM604
    ├── CrossSiteRequest         FM605
    ├── TooManyRequests          FM606
    ├── ApiKeyNotFound           FM607
    ├── ApiKeyTaken              FM608
    ├── HostRefused              FM609
    ├── TooManyLastingRequests   FM610
    └── QuotaSpent               FM611
"""

from __future__ import annotations

from ferryman.domain.errors.access import (
    AccessError,
    ApiKeyMissing,
    ApiKeyNotFound,
    ApiKeyRefused,
    ApiKeyTaken,
    CrossSiteRequest,
    HostRefused,
    QueueForbidden,
    QuotaSpent,
    ScopeMissing,
    TooManyLastingRequests,
    TooManyRequests,
)
from ferryman.domain.errors.base import FerrymanError
from ferryman.domain.errors.enqueue import (
    AlreadyTesting,
    BadNumber,
    BadOption,
    BadSchedule,
    BadText,
    CrashTestImpossible,
    DuplicateMember,
    EnqueueError,
    IdempotencyKeyReused,
    MissingArgument,
    NotAwaited,
    NotSerialisable,
    PayloadTooLarge,
    QueueFull,
    SyncInsideLoop,
    TooDeep,
    UniqueKeyTaken,
    UnknownArgument,
    UnknownType,
    WouldWaitForever,
    WrongArgumentType,
)
from ferryman.domain.errors.handler import (
    AlreadyCommitted,
    BadHandler,
    CancellationSwallowed,
    ClaimLost,
    DuplicateType,
    HandlerError,
    HandlerExited,
    HandlerKilled,
    HandlerOutOfMemory,
    HandlerProcessExited,
    HandlerRaised,
    HandlerTimedOut,
    JobCancelled,
    JobExpired,
    JobFailed,
    LoopBlocked,
    PayloadMismatch,
    ProcessNotStarted,
    ResultNotSerialisable,
    ResultTimeout,
    ResultTooLarge,
    RunInterrupted,
    RunLost,
)
from ferryman.domain.errors.request import (
    BadFilter,
    BadParameter,
    BodyTooLarge,
    ErrorGroupNotFound,
    HeadTooLarge,
    InternalError,
    JobNotFound,
    KeyNotFound,
    MalformedJson,
    MalformedRequest,
    MethodNotAllowed,
    NodeEnded,
    NodeNotFound,
    NotAcceptable,
    OperationNotFound,
    PreconditionFailed,
    RemoteError,
    RequestError,
    RequestTimeout,
    RouteNotFound,
    ScheduleNotFound,
    ServerUnreachable,
    ShuttingDown,
    TooManyConnections,
    WrongContent,
    WrongContentType,
    WrongState,
)
from ferryman.domain.errors.settings import (
    BadSetting,
    BadSettingsFile,
    NotConfirmed,
    OpenToAll,
    PortInUse,
    SettingsError,
    StartupFailed,
    TargetBroken,
    TargetNotFound,
    TargetWithoutApp,
    ToolMissing,
    UnknownSetting,
)
from ferryman.domain.errors.store import (
    CommitUnknown,
    DatabaseFolderMissing,
    DatabaseIsFolder,
    DatabaseMissing,
    DatabaseReadOnly,
    DriverMissing,
    IllegalTransition,
    NetworkFileSystem,
    NodeNotLive,
    NotADatabase,
    SchemaMissing,
    SchemaTooNew,
    ServerTooOld,
    SqliteTooOld,
    StoreBusy,
    StoreClosed,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreUnreachable,
    TransactionImpossible,
    TransactionTimedOut,
)

__all__ = [
    "AccessError",
    "AlreadyCommitted",
    "AlreadyTesting",
    "ApiKeyMissing",
    "ApiKeyNotFound",
    "ApiKeyRefused",
    "ApiKeyTaken",
    "BadFilter",
    "BadHandler",
    "BadNumber",
    "BadOption",
    "BadParameter",
    "BadSchedule",
    "BadSetting",
    "BadSettingsFile",
    "BadText",
    "BodyTooLarge",
    "CancellationSwallowed",
    "ClaimLost",
    "CommitUnknown",
    "CrashTestImpossible",
    "CrossSiteRequest",
    "DatabaseFolderMissing",
    "DatabaseIsFolder",
    "DatabaseMissing",
    "DatabaseReadOnly",
    "DriverMissing",
    "DuplicateMember",
    "DuplicateType",
    "EnqueueError",
    "ErrorGroupNotFound",
    "FerrymanError",
    "HandlerError",
    "HandlerExited",
    "HandlerKilled",
    "HandlerOutOfMemory",
    "HandlerProcessExited",
    "HandlerRaised",
    "HandlerTimedOut",
    "HeadTooLarge",
    "HostRefused",
    "IdempotencyKeyReused",
    "IllegalTransition",
    "InternalError",
    "JobCancelled",
    "JobExpired",
    "JobFailed",
    "JobNotFound",
    "KeyNotFound",
    "LoopBlocked",
    "MalformedJson",
    "MalformedRequest",
    "MethodNotAllowed",
    "MissingArgument",
    "NetworkFileSystem",
    "NodeEnded",
    "NodeNotFound",
    "NodeNotLive",
    "NotADatabase",
    "NotAcceptable",
    "NotAwaited",
    "NotConfirmed",
    "NotSerialisable",
    "OpenToAll",
    "OperationNotFound",
    "PayloadMismatch",
    "PayloadTooLarge",
    "PortInUse",
    "PreconditionFailed",
    "ProcessNotStarted",
    "QueueForbidden",
    "QueueFull",
    "QuotaSpent",
    "RemoteError",
    "RequestError",
    "RequestTimeout",
    "ResultNotSerialisable",
    "ResultTimeout",
    "ResultTooLarge",
    "RouteNotFound",
    "RunInterrupted",
    "RunLost",
    "ScheduleNotFound",
    "SchemaMissing",
    "SchemaTooNew",
    "ScopeMissing",
    "ServerTooOld",
    "ServerUnreachable",
    "SettingsError",
    "ShuttingDown",
    "SqliteTooOld",
    "StartupFailed",
    "StoreBusy",
    "StoreClosed",
    "StoreError",
    "StoreFailed",
    "StoreFull",
    "StoreUnreachable",
    "SyncInsideLoop",
    "TargetBroken",
    "TargetNotFound",
    "TargetWithoutApp",
    "TooDeep",
    "TooManyConnections",
    "TooManyLastingRequests",
    "TooManyRequests",
    "ToolMissing",
    "TransactionImpossible",
    "TransactionTimedOut",
    "UniqueKeyTaken",
    "UnknownArgument",
    "UnknownSetting",
    "UnknownType",
    "WouldWaitForever",
    "WrongArgumentType",
    "WrongContent",
    "WrongContentType",
    "WrongState",
]
