"""Gates: who stands before them, who has a slot, and who may go. A few statements, however many the keys.

    insert, promote, retry --> held          finish, cancel, expire --> slot --x
                            commit                                   commit
                               \\_____________ let in ______________/
                                   lock the gates, in the order of their keys
                                   count who is behind them by now
                                   held --> slot, ready          commit

Letting in is a transaction of its own, after the verb that brought somebody or made room: so no gate is locked by
anybody's open transaction. If the process dies between the two, or what it tried has failed, the sweeper of any node
finds those who were overlooked. Whoever waits for a gate's lock counts anew, so of two at once neither counts wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec

from ferryman.domain import gates
from ferryman.domain.errors import StoreBusy, StoreError
from ferryman.domain.gates import Crowd, Gate, Newest
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.store.gating import Admitted
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.keys import Change
from ferryman.store.postgres.lines import Lines
from ferryman.store.postgres.steps import Ask, Row, Steps, ask

_rule: Final = msgspec.json.Decoder(GateRule)
COLUMNS: Final = 13
"""What of a row says a gate: its key first, when to look again last."""
TRIES: Final = 3
"""How often a gate may be forgotten, by the prune of another node, between being made and being locked."""


class Known(NamedTuple):
    """A gate, and when to look at it again."""

    gate: Gate
    due: int | None


def known_of(row: Row) -> Known:
    """A gate out of its row."""
    _, concurrency, rate, burst, strict, on_failure, pinned, paused, ruled_by, level, standing, at, due = row[:COLUMNS]
    rule = GateRule(concurrency, rate, burst, strict, OnFailure(on_failure))
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
        gate.pinned,
        gate.paused,
        gate.ruled_by,
        gate.level,
        gate.standing,
        gate.at,
        due,
    )


class Look(NamedTuple):
    """A locked gate as it is to be, before somebody goes through it, and who is behind it."""

    gate: Gate
    crowd: Crowd

    @property
    def room(self) -> int:
        """How many may go."""
        return gates.room(self.gate, self.crowd)


def lock(keys: Iterable[str]) -> Steps[dict[str, Known]]:
    """Lock gates, as far as they are."""
    return {row[0]: known_of(row) for row in (yield Ask("lock_gates", (sorted(keys),)))}


def let_in(keys: Collection[str], now: int) -> Steps[tuple[int, set[str]]]:
    """Let in who may go at these gates. To be driven in a transaction of its own.

    Returns:
        How many went, and the keys that have no gates.
    """
    known = yield from lock(keys)
    missing = set(keys).difference(known)
    if not known:
        return 0, missing
    looks = yield from _look(known, now)
    # of a gate that is full and has no rate nothing is to be said
    asked = [key for key, look in looks.items() if look.room or look.gate.rule.rate is not None]
    rows = (yield Ask("let_in", (asked, [looks[key].room for key in asked], now))) if asked else ()
    went = {row[0]: (row[1], row[2]) for row in rows}
    changed: list[tuple[Any, ...]] = []
    for key, look in looks.items():
        count, more = went.get(key, (0, False))
        after = gates.entered(look.gate, look.crowd, count)
        due = gates.due(after, look.crowd, count, more, now)
        if (after, due) != known[key]:
            changed.append(row_of(key, after, due))
    if changed:
        yield put(changed)
    return sum(count for count, _ in went.values()), missing


def put(rows: Sequence[tuple[Any, ...]]) -> Ask:
    """The statement that changes locked gates."""
    return Ask("put_gates", tuple(list(column) for column in zip(*rows, strict=True)))


def _look(known: Mapping[str, Known], now: int) -> Steps[dict[str, Look]]:
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


def change(key: str, make: Change, now: int) -> Steps[bool]:
    """Change a gate, and let in who may go then. To be driven in a transaction of its own.

    Returns:
        Whether there was such a gate.
    """
    known = yield from lock([key])
    if not known:
        return False
    ((_, slots, unclaimed, _, _),) = yield Ask("crowds", ([key], [True], [""]))
    yield put([row_of(key, make(known[key].gate, Crowd(slots, unclaimed)), None)])
    yield from let_in([key], now)
    return True


class Gates:
    """The gates of one database, as the verbs of a store and its sweeper come to them."""

    def __init__(self, lines: Lines) -> None:
        self._chores = lines.chores
        self._people = lines.people
        self._looked = ""
        self._forgotten = ""

    async def let_in(self, keys: Collection[str], now: int, *, over: Line) -> int:
        """Let in who may go at these gates, after a verb. What fails is made up for by `admit`. Returns how many."""
        count = 0
        with suppress(StoreError):
            count = await self._let_in(keys, now, over)
        return count

    async def made_room(self, keys: Collection[str], now: int, *, over: Line) -> int:
        """The same after a verb that has brought nobody: mostly nobody waits, and no gate is touched."""
        waited_for: Collection[str] = ()
        with suppress(StoreError):
            waited_for = [row[0] for row in await over.do(ask("waited_for", list(keys)))] if keys else ()
        return await self.let_in(waited_for, now, over=over)

    async def _let_in(self, keys: Collection[str], now: int, over: Line) -> int:
        if not keys:
            return 0
        count, missing = await over.transact(let_in(set(keys), now))
        if missing:
            await over.do(ask("make_gates", sorted(missing), False))
            more, _ = await over.transact(let_in(missing, now))
            count += more
        return count

    async def admit(self, now: int, limit: int) -> Admitted:
        """See `Gating.admit`. Where nobody waits, one look."""
        ((waits, due),) = await self._chores.do(ask("next_gate"))
        if not waits:
            return Admitted(0, None)
        keys = {row[0] for row in await self._chores.do(ask("due_gates", now, limit))}
        keys |= await self._overlooked(now, limit)
        count = await self._let_in(keys, now, self._chores)
        ((_, due),) = await self._chores.do(ask("next_gate"))
        return Admitted(count, now if self._looked else due)

    async def _overlooked(self, now: int, limit: int) -> set[str]:
        """Of the next keys before whose gates somebody waits those that seem to have room."""
        rows = await self._chores.do(ask("overlooked", self._looked, limit, now))
        self._looked = rows[-1][0] if len(rows) == limit else ""
        return {key for key, room in rows if room}

    async def change(self, key: str, make: Change, now: int) -> None:
        """Change a gate, which is made if there is none. Raises StoreError."""
        for _ in range(TRIES):
            await self._people.do(ask("make_gates", [key], True))
            if await self._people.transact(change(key, make, now)):
                return
        raise StoreBusy(f"The key {key!a} was forgotten while it was to be changed.", hint="Try again.")

    async def forget(self, now: int, limit: int, horizon: str) -> None:
        """Forget the slots of jobs that are not kept any longer, and gates that nobody uses."""
        freed = {row[0] for row in await self._chores.do(ask("prune_slots", horizon, limit))}
        await self.let_in(freed, now, over=self._chores)
        rows = await self._chores.do(ask("deserted_gates", self._forgotten, limit))
        self._forgotten = rows[-1][0] if len(rows) == limit else ""
        deserted = [key for key, is_deserted in rows if is_deserted]
        if deserted:
            await self._chores.transact(_drop(deserted, now))


def _drop(keys: Sequence[str], now: int) -> Steps[None]:
    """Drop those of these gates that are as good as new. In a transaction: nobody lets in meanwhile."""
    locked = {row[0]: known_of(row) for row in (yield Ask("lock_deserted", (list(keys),)))}
    gone = [key for key, known in locked.items() if known.gate.as_new(now)]
    if gone:
        yield Ask("drop_gates", (gone,))
