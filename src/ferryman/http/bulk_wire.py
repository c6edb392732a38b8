"""Operations on the wire: the body of POST /operations, and an operation as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec

from ferryman.client.finding import Counted
from ferryman.domain import options
from ferryman.domain.bulk import ALLOWED, BulkAction, BulkStatus
from ferryman.domain.filters import JobFilter
from ferryman.http import wire
from ferryman.http.changes import PLACEMENT, Read, refuse, written
from ferryman.store.bulk import BulkOperation
from ferryman.store.controlling import Placement


class ChangeJson(msgspec.Struct, frozen=True):
    """What is to be changed; what stays as it is is null."""

    queue: str | None
    priority: int | None
    run_at: wire.Moment | None


class OperationJson(msgspec.Struct, frozen=True, kw_only=True):
    """An operation, every field always present."""

    id: str
    action: BulkAction
    status: BulkStatus
    filter: str
    """As it was written."""
    queues: tuple[str, ...] | None
    """Only jobs in these, since whoever asked is limited to them; null is all."""
    change: ChangeJson | None
    rate: float | None
    """So many a second."""
    examined: int
    """How many jobs were looked at."""
    changed: int
    skipped: int
    """How many fitted, and could not be changed."""
    by: str
    created_at: wire.Moment
    finished_at: wire.Moment | None
    error: str | None


class DryRunJson(msgspec.Struct, frozen=True):
    """What an operation would change."""

    count: int
    complete: bool
    """Whether that is all; else there may be more, as only so many jobs were looked at."""
    dry_run: bool = True


class AskedOperation(msgspec.Struct, frozen=True):
    """An operation that is to be started, as `Operations.start` takes it."""

    action: BulkAction
    filter: str
    means: JobFilter
    """The same as it is read now."""
    change: Mapping[str, Any]
    rate: float | None
    dry_run: bool


def read_operation(body: bytes, read: Read) -> AskedOperation:
    """The operation that a body asks for; `read` reads the text of a filter.

    Raises:
        WrongContent: naming every member that is wrong, with its pointer.
        MalformedJson, DuplicateMember, BadNumber, BadText, TooDeep: the body is not strict JSON.
    """
    members = wire.read_members(body)
    asked, wrong = wire.checked(members, MEMBERS)
    wrong += [(wire.pointer(name), text) for name, text in _NEEDED.items() if members.get(name) is None]
    action: BulkAction | None = asked.get("action")
    if "filter" in asked:
        means = written(asked["filter"], wrong, None if action is None else ALLOWED[action], read)
    else:
        means = JobFilter()
    change, bad = _change(action, asked.get("change"))
    wrong += [each for each in bad if each[0] not in dict(wrong)]
    if action is not None and action is not BulkAction.RETRY and "rate" in asked:
        wrong.append((wire.pointer("rate"), f"Only a retry has a rate, not a {action}."))
    refuse("The body does not describe an operation.", wrong)
    assert action is not None
    return AskedOperation(action, asked["filter"], means, change, asked.get("rate"), asked.get("dry_run", False))


def _change(
    action: BulkAction | None, given: Mapping[str, object] | None
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What is to be changed, and what is wrong with it."""
    at = wire.pointer("change")
    if action is not BulkAction.CHANGE:
        return {}, [] if given is None or action is None else [(at, f"Only a change has this, not a {action}.")]
    found, wrong = wire.checked(given or {}, PLACEMENT, at=at)
    if not found and not wrong:
        wrong.append((at, f"Nothing is to be changed. There are {', '.join(PLACEMENT)}."))
    if len(found.keys() & {"run_at", "delay"}) == 2:
        wrong.append((f"{at}/delay", "Either delay or run_at, not both."))
    return found, wrong


def operation_json(kept: BulkOperation) -> bytes:
    """An operation as JSON."""
    return msgspec.json.encode(_form(kept))


def operations_json(kept: Sequence[BulkOperation]) -> bytes:
    """Operations as a JSON array."""
    return msgspec.json.encode([_form(each) for each in kept])


def dry_run_json(told: Counted) -> bytes:
    """The answer to an operation that is none."""
    return msgspec.json.encode(DryRunJson(told.count, told.complete))


def _form(kept: BulkOperation) -> OperationJson:
    wish = kept.wish
    return OperationJson(
        id=kept.id,
        action=wish.action,
        status=kept.status,
        filter=wish.filter,
        queues=wish.queues,
        change=None if wish.placement is None else _change_json(wish.placement),
        rate=wish.rate,
        examined=kept.examined,
        changed=kept.changed,
        skipped=kept.skipped,
        by=wish.by,
        created_at=wire.write_moment(wish.created_at),
        finished_at=None if kept.finished_at is None else wire.write_moment(kept.finished_at),
        error=kept.error,
    )


def _change_json(placement: Placement) -> ChangeJson:
    run_at = None if placement.run_at is None else wire.write_moment(placement.run_at)
    return ChangeJson(placement.queue, placement.priority, run_at)


def _object(value: object) -> object:
    if isinstance(value, dict):
        return cast("object", value)
    raise options.refused("change", value, f"an object with {', '.join(PLACEMENT)}")


MEMBERS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "action": partial(options.one_of, "action", kind=BulkAction),
        "filter": partial(options.text, "filter"),
        "change": _object,
        "rate": options.rate,
        "dry_run": partial(options.flag, "dry_run"),
    }
)
_NEEDED: Final = MappingProxyType(
    {
        "action": "The action is missing: it says what is to be done.",
        "filter": "The filter is missing: it says which jobs are meant.",
    }
)
