"""An operation: what one method does at one path. The router and the OpenAPI document are both made of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from ferryman.domain.access import Right
from ferryman.http.exchange import Answer, Request

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
"""JSON values, one a line."""
TEXT: Final = "text/plain"
HTML: Final = "text/html"

Method = Callable[[Request], Awaitable[Answer]]


class Operation(msgspec.Struct, frozen=True):
    """One method of one path, and what the document says of it."""

    method: str
    path: str
    """As the router reads it, such as /jobs/{id}."""
    right: Right | None
    """What a caller needs; None where nobody is asked."""
    call: Method
    says: str
    """What it does, in a line."""
    answers: Mapping[int, Any]
    """What the JSON of each good answer is, as a type; None where there is no body."""
    query: type[msgspec.Struct] | None = None
    """The parameters: a field each; one that is a list may come several times."""
    headers: type[msgspec.Struct] | None = None
    """The headers that change what it does."""
    body: Any = None
    """What the JSON of the request is, as a type; None where it takes none."""
    takes: str = JSON
    """The media type of the request's body."""
    offers: tuple[str, ...] = (JSON,)
    """The media types in which it answers, the one that it prefers first."""
    by_queue: bool = False
    """Whether it looks at the queues to which its caller is limited; else such a caller may not have it."""
    problems: tuple[int, ...] = ()
    """The statuses of what can go wrong with this operation besides what can with every one."""
