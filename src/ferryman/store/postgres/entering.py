"""How jobs go through their gates: these are locked, then it is counted who is behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from ferryman.domain import gates
from ferryman.domain.gates import Crowd, Gate, Look, Newest, Went
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.store.postgres.steps import Ask, Row, Steps

_rule: Final = msgspec.json.Decoder(GateRule)
_NONE: Final = Went()
COLUMNS: Final = 14
"""What of a row says a gate: its key first, when to look again last."""


class Known(NamedTuple):
    """A gate, and when to look at it again."""

    gate: Gate
    due: int | None


def known_of(row: Row) -> Known:
    """A gate out of its row."""
    _, concurrency, rate, burst, strict, on_failure, share, *rest, due = row[:COLUMNS]
    pinned, paused, ruled_by, level, standing, at = rest
    rule = GateRule(concurrency, rate, burst, strict, OnFailure(on_failure), share)
    return Known(Gate(rule, pinned, paused, ruled_by, level, standing, at), due)


def row_of(key: str, gate: Gate, due: int | None) -> tuple[Any, ...]:
    """The row of a gate."""
    rule = gate.rule
    return (
        key,
        rule.concurrency,
        rule.rate,
        rule.burst,
        rule.strict,
        rule.on_failure.value,
        rule.share,
        gate.pinned,
        gate.paused,
        gate.ruled_by,
        gate.level,
        gate.standing,
        gate.at,
        due,
    )


def lock(keys: Iterable[str], *, free: bool = False) -> Steps[dict[str, Known]]:
    """Lock gates, as far as they are, or as far as nobody else has locked them."""
    return {row[0]: known_of(row) for row in (yield Ask("lock_free_gates" if free else "lock_gates", (sorted(keys),)))}


def put(rows: Sequence[tuple[Any, ...]]) -> Ask:
    """The statement that changes locked gates."""
    return Ask("put_gates", tuple(list(column) for column in zip(*rows, strict=True)))


def look_at(known: Mapping[str, Known], now: int) -> Steps[dict[str, Look]]:
    """Locked gates as they are by now, under the rules of the newest jobs before them."""
    rules = [each.gate.rule for each in known.values()]
    bounded = [rule.width is not None or rule.rate is not None for rule in rules]
    rows = yield Ask("crowds", (list(known), bounded, [each.gate.ruled_by for each in known.values()]))
    looks: dict[str, Look] = {}
    for key, slots, unclaimed, id, rule in rows:
        crowd = Crowd(slots, unclaimed)
        newest = None if id is None else Newest(id, _rule.decode(rule))
        gate = gates.offered(known[key].gate, newest, crowd, now)
        looks[key] = Look(gates.refilled(gate, now), crowd)
    return looks


def put_changed(
    known: Mapping[str, Known], looks: Mapping[str, Look], went: Mapping[str, Went], now: int
) -> Steps[None]:
    """Keep what has become of locked gates."""
    left = {key: gates.left(look, went.get(key, _NONE), now) for key, look in looks.items()}
    changed = [row_of(key, *row) for key, row in left.items() if row != known[key]]
    if changed:
        yield put(changed)
