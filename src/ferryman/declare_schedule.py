"""From what `@app.cron` says to a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from ferryman.declare import CronOptions
from ferryman.domain import options
from ferryman.domain.cron import ALL_MOST, Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.schedule import Order, Overlap, Schedule
from ferryman.engine.registry import Handler

_KNOWN: Final = frozenset(CronOptions.__annotations__)


def schedule_of(handler: Handler, expression: str, asked: CronOptions) -> Schedule:
    """Check a declaration.

    Raises:
        BadSchedule: the expression is none, or the time zone.
        BadOption: an option is not allowed.
        EnqueueError: the handler could not be called with the payload; the error names the argument.
    """
    for name in asked:
        if name not in _KNOWN:
            raise options.refused("an option of a schedule", name, ", ".join(sorted(_KNOWN)))
    schedule = Schedule(
        name=asked.get("name", handler.type),
        cron=Cron(
            options.text("the expression", expression),
            options.text("tz", asked.get("tz", "UTC")),
            options.one_of("ambiguous", asked.get("ambiguous", "first"), Ambiguous),
            options.one_of("nonexistent", asked.get("nonexistent", "shift"), Nonexistent),
        ),
        order=_order(handler, asked),
        missed=options.one_of("missed", asked.get("missed", "skip"), Missed),
        max_missed=asked.get("max_missed", ALL_MOST),
        overlap=options.one_of("overlap", asked.get("overlap", "allow"), Overlap),
    )
    schedule.check()
    return schedule


def _order(handler: Handler, asked: CronOptions) -> Order:
    payload: object = asked.get("payload", {})
    if not isinstance(payload, Mapping):
        raise options.refused("payload", payload, "the handler's keyword arguments, by name")
    bound = handler.signature.bind((), dict(cast("Mapping[str, object]", payload)))
    keyed = handler.keyed
    key = None if keyed is None else keyed.key_of(bound)
    return Order(
        type=handler.type,
        payload=bound,
        queue=handler.queue,
        priority=handler.priority,
        max_attempts=handler.max_attempts,
        tags=options.tags(asked.get("tags", ())),
        key=key,
        gate=None if keyed is None or key is None else keyed.rule,
    )
