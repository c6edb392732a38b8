"""The bodies by which jobs are changed: PATCH /jobs/{id}, POST /jobs/retry, POST /jobs/purge.

Every reader raises WrongContent, which names each member that is wrong, or says that the body is no strict JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, cast

import msgspec

from ferryman.client.controls import Retried
from ferryman.domain import options
from ferryman.domain.errors import WrongContent
from ferryman.domain.state import INITIAL, RETRIABLE, Status
from ferryman.http.wire import Moment, checked, moment, pointer, read_members, write_moment
from ferryman.store.protocol import JobFilter

Check = Callable[[object], object]
Wrong = list[tuple[str, str]]


class RetriedJson(msgspec.Struct, frozen=True):
    """What became of a retry of many."""

    retried: int
    unique_key_taken: int
    """Those that were left alone, as another job has their key."""
    last_run_at: Moment | None


class PurgedJson(msgspec.Struct, frozen=True):
    """How many jobs a purge has cancelled."""

    cancelled: int


def read_placement(body: bytes) -> dict[str, Any]:
    """What a PATCH asks for, as `Controls.placement` takes it."""
    asked, wrong = checked(read_members(body), PLACEMENT)
    if not asked and not wrong:
        wrong = [("", f"Nothing is to be changed. There are {', '.join(PLACEMENT)}.")]
    if len(asked.keys() & {"run_at", "delay"}) == 2:
        wrong.append(("/delay", "Either delay or run_at, not both."))
    _refuse("The body does not describe a change.", wrong)
    return asked


def read_retry(body: bytes) -> tuple[JobFilter, float | None]:
    """Which jobs are to be sent back, and how many a second."""
    members = read_members(body)
    asked, wrong = checked(members, {"filter": _object, "rate": options.rate})
    found = _filter(members, asked, wrong, RETRIABLE)
    _refuse("The body does not say which jobs to retry.", wrong)
    return found, asked.get("rate")


def read_purge(body: bytes) -> JobFilter:
    """Which jobs are to be cancelled: some of one queue, whose name confirms it."""
    members = read_members(body)
    asked, wrong = checked(members, {"filter": _object, "confirm": options.queue})
    found = _filter(members, asked, wrong, INITIAL)
    if not wrong and len(found.queues) != 1:
        wrong.append(("/filter/queue", "A purge is about one queue: name it."))
    elif not wrong and asked.get("confirm") not in found.queues:
        wrong.append(("/confirm", "Say the name of the queue once more, so that nothing is purged by mistake."))
    _refuse("The body does not say which jobs to purge.", wrong)
    return found


def retried_json(told: Retried) -> bytes:
    """The answer to a retry of many."""
    last = None if told.last_at is None else write_moment(told.last_at)
    return msgspec.json.encode(RetriedJson(told.count, told.taken, last))


def _filter(
    members: Mapping[str, object], asked: dict[str, Any], wrong: Wrong, allowed: Collection[Status]
) -> JobFilter:
    """The filter among the members; it must say something."""
    if "filter" not in asked:
        if "filter" not in members or members["filter"] is None:
            wrong.append((pointer("filter"), "The filter is missing: it says which jobs are meant."))
        return JobFilter()
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


def _refuse(what: str, wrong: Wrong) -> None:
    if wrong:
        raise WrongContent(what, why=wrong[0][1], errors=tuple(wrong))


def _object(value: object) -> object:
    if isinstance(value, dict):
        return cast("object", value)
    raise options.refused("filter", value, "an object")


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
    "status": _object,
    "type": partial(_texts, "type"),
    "queue": partial(_texts, "queue"),
    "tag": partial(_texts, "tag"),
}
