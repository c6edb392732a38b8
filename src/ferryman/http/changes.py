"""The bodies by which jobs are changed: PATCH /jobs/{id}, POST /jobs/retry, POST /jobs/purge.

Every reader raises WrongContent, which names each member that is wrong, or says that the body is no strict JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, cast

import msgspec

from ferryman.client.finding import Counted
from ferryman.client.retrying import Retried
from ferryman.domain import options
from ferryman.domain.errors import BadFilter, WrongContent
from ferryman.domain.filters import Field, JobFilter
from ferryman.domain.state import INITIAL, RETRIABLE, Status
from ferryman.http.wire import Moment, checked, moment, pointer, read_members, write_moment

Check = Callable[[object], object]
Read = Callable[[str], JobFilter]
Wrong = list[tuple[str, str]]
_DRY_RUN: Final = partial(options.flag, "dry_run")


class RetriedJson(msgspec.Struct, frozen=True):
    """What became of a retry of many."""

    retried: int
    unique_key_taken: int
    """Those that were left alone, as another job has their key."""
    last_run_at: Moment | None
    dry_run: bool
    """Whether nothing was changed, and `retried` says how many would be."""
    complete: bool
    """Whether that is all; else there may be more, as only so many jobs were looked at."""


class PurgedJson(msgspec.Struct, frozen=True):
    """How many jobs a purge has cancelled."""

    cancelled: int
    dry_run: bool
    complete: bool


class Asked(msgspec.Struct, frozen=True):
    """A change of many jobs."""

    filter: JobFilter
    dry_run: bool
    rate: float | None = None


def read_placement(body: bytes) -> dict[str, Any]:
    """What a PATCH asks for, as `Controls.placement` takes it."""
    asked, wrong = checked(read_members(body), PLACEMENT)
    if not asked and not wrong:
        wrong = [("", f"Nothing is to be changed. There are {', '.join(PLACEMENT)}.")]
    if len(asked.keys() & {"run_at", "delay"}) == 2:
        wrong.append(("/delay", "Either delay or run_at, not both."))
    refuse("The body does not describe a change.", wrong)
    return asked


def read_retry(body: bytes, read: Read) -> Asked:
    """Which jobs are to be sent back, and how many a second; `read` reads the text of a filter."""
    members = read_members(body)
    asked, wrong = checked(members, {"filter": _text_or_object, "rate": options.rate, "dry_run": _DRY_RUN})
    found = _filter(members, asked, wrong, RETRIABLE, read)
    refuse("The body does not say which jobs to retry.", wrong)
    return Asked(found, asked.get("dry_run", False), asked.get("rate"))


def read_purge(body: bytes, read: Read) -> Asked:
    """Which jobs are to be cancelled: some of one queue, whose name confirms it."""
    members = read_members(body)
    asked, wrong = checked(members, {"filter": _text_or_object, "confirm": options.queue, "dry_run": _DRY_RUN})
    found = _filter(members, asked, wrong, INITIAL, read)
    queues = found.named(Field.QUEUE) or frozenset()
    if not wrong and len(queues) != 1:
        at = "/filter" if isinstance(asked["filter"], str) else "/filter/queue"
        wrong.append((at, "A purge is about one queue: name it."))
    elif not wrong and asked.get("confirm") not in queues:
        wrong.append(("/confirm", "Say the name of the queue once more, so that nothing is purged by mistake."))
    refuse("The body does not say which jobs to purge.", wrong)
    return Asked(found, asked.get("dry_run", False))


def retried_json(told: Retried) -> bytes:
    """The answer to a retry of many."""
    last = None if told.last_at is None else write_moment(told.last_at)
    return msgspec.json.encode(RetriedJson(told.count, told.taken, last, dry_run=False, complete=True))


def would_retry_json(told: Counted) -> bytes:
    """The answer to a retry of many that is none."""
    return msgspec.json.encode(RetriedJson(told.count, 0, None, dry_run=True, complete=told.complete))


def purged_json(count: int, *, dry_run: bool = False, complete: bool = True) -> bytes:
    """The answer to a purge, or to one that is none."""
    return msgspec.json.encode(PurgedJson(count, dry_run, complete))


def _filter(
    members: Mapping[str, object], asked: dict[str, Any], wrong: Wrong, allowed: Collection[Status], read: Read
) -> JobFilter:
    """The filter among the members; it must say something."""
    if "filter" not in asked:
        if "filter" not in members or members["filter"] is None:
            wrong.append((pointer("filter"), "The filter is missing: it says which jobs are meant."))
        return JobFilter()
    if isinstance(asked["filter"], str):
        return written(asked["filter"], wrong, allowed, read)
    known: dict[str, Check] = {**FILTER, "status": partial(_statuses, allowed)}
    found, bad = checked(cast("Mapping[str, object]", asked["filter"]), known, at=pointer("filter"))
    wrong += bad or ([] if found else [(pointer("filter"), f"It is empty. There are {', '.join(known)}.")])
    nothing: frozenset[str] = frozenset()
    return JobFilter(
        found.get("status", frozenset()),
        found.get("type", nothing),
        found.get("queue", nothing),
        found.get("tag", nothing),
    )


def written(text: str, wrong: Wrong, allowed: Collection[Status] | None, read: Read) -> JobFilter:
    """The filter that a text means; it must say something. None is any status."""
    try:
        found = read(text)
    except BadFilter as error:
        wrong.append((pointer("filter"), f"{error.what} {error.why}".strip()))
        return JobFilter()
    named = found.named(Field.STATUS) or frozenset()
    if found == JobFilter():
        wrong.append((pointer("filter"), "It is empty: it says which jobs are meant."))
    elif allowed is not None and not named <= set(allowed):
        wrong.append((pointer("filter"), f"Allowed: status:{','.join(each for each in Status if each in allowed)}."))
    return found


def refuse(what: str, wrong: Wrong) -> None:
    """Refuse a body of which something is wrong. Raises WrongContent."""
    if wrong:
        raise WrongContent(what, why=wrong[0][1], errors=tuple(wrong))


def _text_or_object(value: object) -> object:
    if isinstance(value, dict | str):
        return cast("object", value)
    raise options.refused("filter", value, "an object, or a text such as status:failed type:mail.*")


def _texts(name: str, value: object) -> frozenset[str]:
    """One text, or several that mean "or"."""
    shown = value
    given = cast("list[object]", value) if isinstance(value, list) else [value]
    if given and all(isinstance(each, str) and each for each in given):
        return frozenset(cast("list[str]", given))
    raise options.refused(name, shown, "a text, or a list of them, none empty")


def _statuses(allowed: Collection[Status], value: object) -> frozenset[Status]:
    given = _texts("status", value)
    if given <= set(allowed):
        return frozenset(map(Status, given))
    raise options.refused("status", value, ", ".join(each for each in Status if each in allowed))


PLACEMENT: Final[Mapping[str, Check]] = {
    "queue": options.queue,
    "priority": options.priority,
    "run_at": partial(moment, "run_at"),
    "delay": partial(options.seconds_of, "delay"),
}
FILTER: Final[Mapping[str, Check]] = {
    "status": _text_or_object,
    "type": partial(_texts, "type"),
    "queue": partial(_texts, "queue"),
    "tag": partial(_texts, "tag"),
}
