"""Problems of the server as the errors that they were there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.domain import errors
from ferryman.domain.errors import FerrymanError, QueueFull, RemoteError, UniqueKeyTaken, WrongContent
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
    retry_after: int = 1
    """Seconds; where a problem stands alone the header says them."""


_problem_of: Final = msgspec.json.Decoder(Problem)
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


def _unknown(problem: Problem) -> FerrymanError:
    return RemoteError(
        f"The server answered {problem.status} with the code {problem.code[:20]!a}: {problem.detail}",
        status=problem.status,
        remote_code=problem.code,
        why="This version does not know that code.",
        hint=problem.hint,
    )


_MAKE: Final[Mapping[str, Callable[[Problem], FerrymanError]]] = MappingProxyType(
    {UniqueKeyTaken.code: _taken, QueueFull.code: _full, WrongContent.code: _wrong, RemoteError.code: _unknown}
)
"""How those errors are made that need more than their words."""


def error_of(reply: Reply) -> FerrymanError:
    """The error that an answer tells."""
    try:
        problem = _problem_of.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return stranger(reply, f"It answered {reply.status}")
    said = reply.headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        problem = msgspec.structs.replace(problem, retry_after=int(said))
    return error_from(problem)


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
