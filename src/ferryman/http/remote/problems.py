"""Problems of the server as the errors that they were there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.domain import errors
from ferryman.domain.errors import (
    BadFilter,
    FerrymanError,
    QueueFull,
    QuotaSpent,
    RemoteError,
    ScopeMissing,
    TooManyRequests,
    UniqueKeyTaken,
    WrongContent,
)
from ferryman.http.remote.asking import Reply

SHOWN: Final = 200
"""So many characters of an answer are shown that nobody expected."""


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with one member of the body."""

    pointer: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """The members of a problem that an error is made of."""

    code: str
    status: int
    detail: str = ""
    hint: str = ""
    errors: tuple[Wrong, ...] = ()
    holder: str = ""
    column: int = 1
    retry_after: int = 1
    """Seconds; where a problem stands alone a header says them, as it does what follows."""
    scope: str = ""
    rate: float = 0.0
    burst: int = 0
    """What is allowed at once, or in the time for which a quota is."""


_problem_of: Final = msgspec.json.Decoder(Problem)
_SECONDS: Final = re.compile("[0-9]{1,9}")
_SCOPE: Final = re.compile('scope="([^"]*)"')
_POLICY: Final = re.compile("q=([0-9]{1,9});w=([1-9][0-9]{0,8})")
_KINDS: Final[Mapping[str, type[FerrymanError]]] = MappingProxyType(
    {kind.code: kind for kind in (getattr(errors, name) for name in errors.__all__)}
)


def _taken(problem: Problem) -> FerrymanError:
    return UniqueKeyTaken(problem.detail, holder=problem.holder, hint=problem.hint)


def _full(problem: Problem) -> FerrymanError:
    return QueueFull(problem.detail, retry_after=problem.retry_after, hint=problem.hint)


def _wrong(problem: Problem) -> FerrymanError:
    errors = tuple((each.pointer, each.message) for each in problem.errors)
    return WrongContent(problem.detail, errors=errors, hint=problem.hint)


def _unread(problem: Problem) -> FerrymanError:
    return BadFilter(problem.detail, column=problem.column, hint=problem.hint)


def _beyond_scope(problem: Problem) -> FerrymanError:
    return ScopeMissing(problem.detail, scope=problem.scope, hint=problem.hint)


def _too_fast(problem: Problem) -> FerrymanError:
    after, rate, burst = problem.retry_after, problem.rate, problem.burst
    return TooManyRequests(problem.detail, retry_after=after, rate=rate, burst=burst, hint=problem.hint)


def _spent(problem: Problem) -> FerrymanError:
    return QuotaSpent(problem.detail, retry_after=problem.retry_after, quota=problem.burst, hint=problem.hint)


def _unknown(problem: Problem) -> FerrymanError:
    return RemoteError(
        f"The server answered {problem.status} with the code {problem.code[:20]!a}: {problem.detail}",
        status=problem.status,
        remote_code=problem.code,
        why="This version does not know that code.",
        hint=problem.hint,
    )


_MAKE: Final[Mapping[str, Callable[[Problem], FerrymanError]]] = MappingProxyType(
    {
        UniqueKeyTaken.code: _taken,
        QueueFull.code: _full,
        WrongContent.code: _wrong,
        BadFilter.code: _unread,
        ScopeMissing.code: _beyond_scope,
        TooManyRequests.code: _too_fast,
        QuotaSpent.code: _spent,
        RemoteError.code: _unknown,
    }
)
"""How those errors are made that need more than their words."""


def error_of(reply: Reply) -> FerrymanError:
    """The error that an answer tells."""
    try:
        problem = _problem_of.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return stranger(reply, f"It answered {reply.status}")
    return error_from(msgspec.structs.replace(problem, **_told_by(reply.headers)))


def _told_by(headers: Mapping[str, str]) -> dict[str, Any]:
    """What headers say of a problem."""
    found: dict[str, Any] = {}
    if seconds := _SECONDS.fullmatch(headers.get("retry-after", "")):
        found["retry_after"] = int(seconds[0])
    if scope := _SCOPE.search(headers.get("www-authenticate", "")):
        found["scope"] = scope[1]
    if policy := _POLICY.search(headers.get("ratelimit-policy", "")):
        found |= {"burst": int(policy[1]), "rate": int(policy[1]) / int(policy[2])}
    return found


def error_from(problem: Problem) -> FerrymanError:
    """The error that a problem was made of; RemoteError for a code that this version does not know."""
    make = _MAKE.get(problem.code)
    if make is not None:
        return make(problem)
    kind = _KINDS.get(problem.code)
    return _unknown(problem) if kind is None else kind(problem.detail, hint=problem.hint)


def stranger(reply: Reply, what: str) -> RemoteError:
    """The error for an answer that is none of the API's."""
    said = reply.body[:SHOWN].decode("utf-8", "replace")
    return RemoteError(
        f"What answers is not the API of Ferryman. {what}, as {reply.headers.get('content-type', 'nothing')!a}.",
        status=reply.status,
        why=f"It said: {said!a}" if said else "It said nothing.",
        hint="See whether the URL is right, and what stands in between.",
    )
