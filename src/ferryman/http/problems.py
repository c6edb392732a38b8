"""Errors as RFC 9457 problems: every error that a client sees is one of these, with its code."""

from __future__ import annotations

import json
import re
from math import ceil
from typing import Final

from ferryman.domain import errors
from ferryman.domain.access import DAY
from ferryman.domain.errors import FerrymanError
from ferryman.domain.job import MICROS
from ferryman.http.exchange import Answer, Headers
from ferryman.http.progress import Progress

STORE_RETRY_AFTER: Final = 1
STOP_RETRY_AFTER: Final = 5
FULL_RETRY_AFTER: Final = 5
"""Whole seconds after which to try again: a store that is busy, a node that is stopping, connections that are taken."""

_STATUS: Final[dict[type[FerrymanError], int]] = {
    FerrymanError: 500,  # InternalError, and whatever nobody thought of
    errors.StoreError: 503,
    # what strict JSON refuses is malformed, wherever it stands; what it lets through can only have wrong content
    errors.MalformedJson: 400,
    errors.DuplicateMember: 400,
    errors.BadNumber: 400,
    errors.BadText: 400,
    errors.TooDeep: 400,
    errors.BadParameter: 400,
    errors.BadFilter: 400,
    errors.MalformedRequest: 400,
    errors.JobNotFound: 404,
    errors.KeyNotFound: 404,
    errors.OperationNotFound: 404,
    errors.ErrorGroupNotFound: 404,
    errors.NodeNotFound: 404,
    errors.RouteNotFound: 404,
    errors.ScheduleNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.NotAcceptable: 406,
    errors.RequestTimeout: 408,
    errors.WrongState: 409,
    errors.NodeEnded: 409,
    errors.UniqueKeyTaken: 409,
    errors.PreconditionFailed: 412,
    errors.PayloadTooLarge: 413,
    errors.BodyTooLarge: 413,
    errors.WrongContentType: 415,
    errors.EnqueueError: 422,
    errors.WrongContent: 422,
    errors.QueueFull: 429,
    errors.HeadTooLarge: 431,
    errors.ApiKeyMissing: 401,
    errors.ApiKeyRefused: 401,
    errors.AccessError: 403,
    errors.ApiKeyNotFound: 404,
    errors.ApiKeyTaken: 409,
    errors.TooManyRequests: 429,
    errors.TooManyLastingRequests: 429,
    errors.QuotaSpent: 429,
    errors.ShuttingDown: 503,
    errors.TooManyConnections: 503,
}
_POINTERS: Final[dict[type[FerrymanError], str]] = {
    errors.UnknownType: "/type",
    errors.WrongArgumentType: "/payload",
    errors.UnknownArgument: "/payload",
    errors.MissingArgument: "/payload",
    errors.PayloadTooLarge: "/payload",
    errors.QueueForbidden: "/queue",
}
_TYPE: Final = (b"content-type", b"application/problem+json")
_CLOSE: Final = (b"connection", b"close")
_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def status_of(error: FerrymanError) -> int:
    """The HTTP status of an error: that of the nearest class which has one."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def problem(error: FerrymanError, headers: Headers = (), progress: Progress | None = None) -> Answer:
    """The answer that tells an error, with the headers that its status asks for.

    `progress` is how far the request had come, where that is more than nothing or all.
    """
    lingers = isinstance(error, errors.BodyTooLarge) if progress is None else not progress.request.is_read
    closes = lingers or isinstance(error, errors.BodyTooLarge | errors.ShuttingDown)
    told = document(error) if progress is None else document(error) | progress.members()
    return Answer(
        status_of(error),
        (_TYPE, *headers, *_retry_after(error), *_access(error), *((_CLOSE,) if closes else ())),
        json.dumps(told).encode(),  # escapes whatever a foreign error text holds
        lingers=lingers,
    )


def document(error: FerrymanError, at: str = "") -> dict[str, object]:
    """An error as RFC 9457 has it; `at` is where in the body that stands of which it speaks."""
    told: dict[str, object] = {
        "type": error.link,
        "title": _WORD.sub(" ", type(error).__name__).capitalize(),
        "status": status_of(error),
        "detail": " ".join(part for part in (error.what, error.why) if part),
        "code": error.code,
        "hint": error.hint,
        "errors": [{"pointer": pointer, "message": message} for pointer, message in errors_of(error, at)],
    }
    if isinstance(error, errors.UniqueKeyTaken):
        told["holder"] = error.holder
    if isinstance(error, errors.BadFilter):
        told["column"] = error.column
    return told


def errors_of(error: FerrymanError, at: str = "") -> tuple[tuple[str, str], ...]:
    """Which members of the body are wrong, as (JSON pointer, message)."""
    if isinstance(error, errors.WrongContent):
        return error.errors
    pointer = _POINTERS.get(type(error))
    return () if pointer is None else ((at + pointer, error.what),)


def _retry_after(error: FerrymanError) -> Headers:
    if isinstance(error, errors.QueueFull | errors.TooManyRequests | errors.QuotaSpent):
        seconds = max(1, error.retry_after)
    elif isinstance(error, errors.StoreError):
        seconds = STORE_RETRY_AFTER
    elif isinstance(error, errors.ShuttingDown):
        seconds = STOP_RETRY_AFTER
    elif isinstance(error, errors.TooManyConnections | errors.TooManyLastingRequests):
        seconds = FULL_RETRY_AFTER
    else:
        return ()
    return ((b"retry-after", b"%d" % seconds),)


def _access(error: FerrymanError) -> Headers:
    """What tells a client which key it needs (RFC 6750), or how fast it may be (the draft of the RateLimit fields)."""
    if isinstance(error, errors.ApiKeyMissing):
        return ((b"www-authenticate", b"Bearer"),)
    if isinstance(error, errors.ApiKeyRefused):
        return ((b"www-authenticate", b'Bearer error="invalid_token"'),)
    if isinstance(error, errors.ScopeMissing):
        return ((b"www-authenticate", f'Bearer error="insufficient_scope", scope="{error.scope}"'.encode()),)
    if isinstance(error, errors.TooManyRequests):
        window = max(1, ceil(error.burst / error.rate))
        return (
            (b"ratelimit-policy", b'"key";q=%d;w=%d' % (error.burst, window)),
            (b"ratelimit", b'"key";r=0;t=%d' % error.retry_after),
        )
    if isinstance(error, errors.QuotaSpent):
        return (
            (b"ratelimit-policy", b'"quota";q=%d;w=%d' % (error.quota, DAY // MICROS)),
            (b"ratelimit", b'"quota";r=0;t=%d' % error.retry_after),
        )
    return ()
