"""Query parameters: read strictly, so that a typing error is not taken for "all jobs"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import parse_qsl, urlencode

import msgspec

from ferryman.client.listening import Wanted
from ferryman.client.schedules import RUNS
from ferryman.domain import options
from ferryman.domain.access import is_api_key_id
from ferryman.domain.audit import Action
from ferryman.domain.errors import BadParameter
from ferryman.domain.filters import JobFilter, render
from ferryman.domain.moments import read_moment
from ferryman.domain.series import STEPS, By, Which
from ferryman.domain.state import Status
from ferryman.domain.suggest import did_you_mean
from ferryman.http.exchange import Headers, Request
from ferryman.store.journaling import TOLD
from ferryman.store.protocol import AuditFilter, ErrorGroup, GroupFilter, Page
from ferryman.store.scheduling import TICKS_KEPT

LIMIT_DEFAULT: Final = 1000
LIMIT_MAX: Final = 10_000
ERRORS_DEFAULT: Final = 100
ERRORS_MAX: Final = 1000
CLAIM_MAX: Final = 2**31 - 1

Parameters = Mapping[str, list[str]]

_ONCE: Final = frozenset(
    {"filter", "limit", "cursor", "order", "bodies", "on_conflict", "claim", "id", "actor", "action", "target"}
)
_FILTERS: Final = ("filter", "status", "type", "queue", "tag", "limit", "cursor", "order", "bodies")
_EVENTS: Final = ("queue", "type", "status")
_AUDIT: Final = ("actor", "action", "target", "cursor", "limit")
_COUNTS: Final = ("queue", "type")
_STATS: Final = ("queue", "type", "by", "from", "to", "step")
_ERRORS: Final = ("queue", "type", "from", "to", "limit", "cursor")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_ERROR_CURSOR: Final = re.compile("([0-9]{1,18})-([0-9a-f]{16})")
_LOG_CURSOR: Final = re.compile("([0-9]{1,9})-([0-9]{1,9})")
_CURSOR: Final = ("the cursor of a Link header", "Follow the link with rel=next as it is.")
_MANY: Final = 1000
"""More parameters than this are refused unread."""


def parameters(request: Request, allowed: tuple[str, ...] = (), once: frozenset[str] = _ONCE) -> Parameters:
    """The query's parameters by name, each with its values in order.

    Args:
        request: which has the query.
        allowed: those that there may be.
        once: those of them that may come once only.

    Raises:
        BadParameter: one is not allowed here, is empty, comes twice where it may not, or is no UTF-8 text.
    """
    query: bytes = request.scope["query_string"]
    if not query:
        return {}
    found: dict[str, list[str]] = {}
    for name, value in _pairs(query):
        if name not in allowed:
            takes = f"This path takes {', '.join(allowed) or 'none'}."
            raise BadParameter(f"There is no parameter {name!a} here.", why=did_you_mean(name, allowed), hint=takes)
        if not value or "\0" in value:
            raise _refused(name, value, "a text without NUL that is not empty")
        found.setdefault(name, []).append(value)
    for name in once & found.keys():
        if len(found[name]) > 1:
            raise BadParameter(f"The parameter {name} comes {len(found[name])} times.", hint="Send it once.")
    return found


def job_filter(request: Request, read: Callable[[str], JobFilter]) -> tuple[JobFilter, Parameters]:
    """Which jobs a GET /jobs asks for, and the parameters of the pages after it, on which ages have become times.

    Raises:
        BadParameter: one cannot be had.
        BadFilter: what `read` says of the text of a filter.
    """
    found = dict(parameters(request, _FILTERS))
    [text] = found.pop("filter", [""])
    said = read(text) if text else JobFilter()
    if said != JobFilter():
        found["filter"] = [render(said)]
    asked = msgspec.structs.replace(
        said,
        statuses=frozenset(_status(value) for value in found.get("status", ())),
        types=frozenset(found.get("type", ())),
        queues=frozenset(found.get("queue", ())),
        tags=frozenset(found.get("tag", ())),
        after=_cursor(found),
        limit=_limit(found),
        newest_first=_choice(found, "order", ("asc", "desc")) == "desc",
        bodies=_choice(found, "bodies", ("true", "false")) == "true",
    )
    return asked, found


def operation_page(request: Request) -> tuple[str | None, int, Parameters]:
    """The operation after which a page of them begins, how many it takes, and the parameters that said so.

    Raises:
        BadParameter: one is not allowed here.
    """
    found = parameters(request, ("limit", "cursor"))
    return _cursor(found), _limit(found), found


def key_page(request: Request) -> tuple[str | None, int, Parameters]:
    """The key after which a page of keys begins, how many it takes, and the parameters that said so.

    Raises:
        BadParameter: one is not allowed here.
    """
    found = parameters(request, ("limit", "cursor"))
    [after] = cast("list[str | None]", found.get("cursor", [None]))
    return after, _limit(found), found


def api_key_id(request: Request) -> str | None:
    """Which of the API keys of a name is meant, if the query says so. Raises BadParameter."""
    [id] = cast("list[str | None]", parameters(request, ("id",)).get("id", [None]))
    if id is None or is_api_key_id(id):
        return id
    raise _refused("id", id, "the id of an API key, such as 1f0c9a52d1b7e604")


def audit_page(request: Request) -> tuple[AuditFilter, int | None, int, Parameters]:
    """Which deeds a GET /audit asks for, the number after which the page begins, how many it takes, and the
    parameters that said so.

    Raises:
        BadParameter: one is not allowed here.
    """
    found = parameters(request, _AUDIT)
    actor, action, target, cursor = (next(iter(found.get(name, ())), None) for name in _AUDIT[:4])
    if action is not None and action not in set(Action):
        raise _refused("action", action, ", ".join(Action), did_you_mean(action, Action))
    if cursor is not None and not _NUMBER.fullmatch(cursor):
        raise _refused("cursor", cursor, *_CURSOR)
    return AuditFilter(actor, action, target), None if cursor is None else int(cursor), _limit(found), found


def stats(request: Request) -> tuple[Which, By, int | None, int | None, int | None]:
    """Of which jobs a GET /stats tells, what has a line of its own, from when to when, and in which steps.

    Raises:
        BadParameter: one is not allowed here.
    """
    found = parameters(request, _STATS, frozenset(_STATS))
    queue, type, by, start, end, step = (next(iter(found.get(name, ())), None) for name in _STATS)
    if by is not None and by not in set(By):
        raise _refused("by", by, ", ".join(By), did_you_mean(by, By))
    if step is not None and not (re.fullmatch("[0-9]{1,5}", step) and 1 <= int(step) <= STEPS[-1]):
        raise _refused("step", step, f"an integer from 1 to {STEPS[-1]}")
    seconds = None if step is None else int(step)
    return Which(queue, type), By(by or By.NONE), _time("from", start), _time("to", end), seconds


def error_groups(request: Request) -> tuple[GroupFilter, Parameters]:
    """Which error groups a GET /errors asks for, and the parameters that said so.

    Raises:
        BadParameter: one is not allowed here.
    """
    found = parameters(request, _ERRORS, frozenset(_ERRORS[2:]))
    start, end, cursor = (next(iter(found.get(name, ())), None) for name in ("from", "to", "cursor"))
    place = None if cursor is None else _ERROR_CURSOR.fullmatch(cursor)
    if cursor is not None and place is None:
        raise _refused("cursor", cursor, *_CURSOR)
    asked = GroupFilter(
        queues=frozenset(found.get("queue", ())),
        types=frozenset(found.get("type", ())),
        start=_time("from", start),
        end=_time("to", end),
        after=None if place is None else (int(place[1]), place[2]),
        limit=_limit(found, ERRORS_DEFAULT, ERRORS_MAX),
    )
    return asked, found


def error_cursor(group: ErrorGroup) -> str:
    """What leads to the error groups after this one."""
    return f"{group.last_at}-{group.group.id}"


def _time(name: str, value: str | None) -> int | None:
    found = None if value is None else read_moment(value)
    if found is None and value is not None:
        raise _refused(name, value, "an RFC 3339 time, such as 2026-01-31T12:00:00Z", "Write a + in it as %2B.")
    return found


def events(request: Request) -> Wanted:
    """Which changes a GET /events asks for. Raises BadParameter."""
    found = parameters(request, _EVENTS)
    for value in found.get("status", ()):
        if value not in TOLD:
            raise _refused("status", value, ", ".join(TOLD), did_you_mean(value, TOLD))
    queues, types, statuses = (frozenset(found.get(name, ())) for name in _EVENTS)
    return Wanted(queues, types, frozenset(map(Status, statuses)))


def counts(request: Request) -> tuple[frozenset[str], frozenset[str]]:
    """The queues and the types of which a GET /counts tells; none is any. Raises BadParameter."""
    found = parameters(request, _COUNTS)
    queues, types = (frozenset(found.get(name, ())) for name in _COUNTS)
    return queues, types


def queues(request: Request) -> frozenset[str]:
    """The queues of which is told; none is any. Raises BadParameter."""
    return frozenset(parameters(request, ("queue",)).get("queue", ()))


def logs_page(request: Request) -> tuple[int | None, tuple[int, int] | None, int, Parameters]:
    """The claim number whose lines are asked for, the line after which a page begins, how many it takes, and the
    parameters that said so. Raises BadParameter."""
    found = parameters(request, ("claim", "limit", "cursor"))
    [claim] = cast("list[str | None]", found.get("claim", [None]))
    if claim is not None and not (re.fullmatch("[0-9]{1,10}", claim) and int(claim) <= CLAIM_MAX):
        raise _refused("claim", claim, f"an integer from 0 to {CLAIM_MAX}")
    [cursor] = cast("list[str | None]", found.get("cursor", [None]))
    place = None if cursor is None else _LOG_CURSOR.fullmatch(cursor)
    if cursor is not None and place is None:
        raise _refused("cursor", cursor, *_CURSOR)
    after = None if place is None else (int(place[1]), int(place[2]))
    return None if claim is None else int(claim), after, _limit(found), found


def log_cursor(number: int, place: int) -> str:
    """What leads to the lines after this one."""
    return f"{number}-{place}"


def on_conflict(request: Request) -> str | None:
    """What a POST /jobs wants where the unique key is taken, if it says so in its query. Raises BadParameter."""
    return _choice(parameters(request, ("on_conflict",)), "on_conflict", (None, "error", "return"))


def next_page(path: str, found: Parameters, last: str) -> bytes:
    """The Link header that leads to the page after the job `last` (RFC 8288)."""
    query = [(name, value) for name, values in found.items() if name != "cursor" for value in values]
    return f'<{path}?{urlencode([*query, ("cursor", last)])}>; rel="next"'.encode()


def scanned(asked: JobFilter, page: Page, *, complete: bool) -> Headers:
    """What tells how many jobs were looked at, where that could be too many (RFC 8941)."""
    if complete and not asked.reads():
        return ()
    return ((b"ferryman-scanned", b"%d;complete=?%d" % (page.looked_at, complete)),)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MANY)
    except UnicodeDecodeError:
        raise BadParameter("The query is not UTF-8.", hint="Percent-encode the bytes of UTF-8.") from None
    except ValueError:
        raise BadParameter(f"The query has more than {_MANY} parameters.") from None


def _status(value: str) -> Status:
    try:
        return Status(value)
    except ValueError:
        raise _refused("status", value, ", ".join(Status), did_you_mean(value, Status)) from None


def runs(request: Request) -> int:
    """How many of the latest runs. Raises BadParameter."""
    return _limit(parameters(request, ("limit",)), RUNS, TICKS_KEPT)


def _limit(found: Parameters, usual: int = LIMIT_DEFAULT, most: int = LIMIT_MAX) -> int:
    [value] = found.get("limit", [str(usual)])
    if value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= most:
        return int(value)
    raise _refused("limit", value, f"an integer from 1 to {most}")


def _cursor(found: Parameters) -> str | None:
    [value] = cast("list[str | None]", found.get("cursor", [None]))
    if value is None or options.is_id(value):
        return value
    raise _refused("cursor", value, *_CURSOR)


def _choice(found: Parameters, name: str, allowed: tuple[str | None, ...]) -> str | None:
    """The value of a parameter; the first allowed one if it is not given."""
    [value] = cast("list[str | None]", found.get(name, [allowed[0]]))
    if value in allowed:
        return value
    raise _refused(name, value, ", ".join(each for each in allowed if each))


def _refused(name: str, value: str | None, allowed: str, hint: str = "") -> BadParameter:
    return BadParameter(f"The parameter {name} cannot be {str(value)[:80]!a}.", why=f"Allowed: {allowed}.", hint=hint)
