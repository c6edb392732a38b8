"""Gates: who stands before them, who has a slot, and who may go. A few statements, however many the keys.

    insert, promote, retry --> held          cancel, expire, rescue, .. --> slot --x
                            commit                                       commit
                               \\_______________ let in _______________/
                                   lock the gates, in the order of their keys
                                   count who is behind them by now
                                   held --> slot, ready          commit

Letting in is a transaction of its own, after the verb that brought somebody or made room: so no gate is locked by
anybody's open transaction. If the process dies between the two, or what it tried has failed, the sweeper of any node
finds those who were overlooked. Whoever waits for a gate's lock counts anew, so of two at once neither counts wrong.

    finish --> slot --x, the next one: held --> slot, ready          commit

The end of a run hands its slot over by itself where the gate has no rate and no share, and locks no gate: so many are
behind it as before. It hands over by the rules that it has seen, so whoever changes the rule of a gate that has
somebody behind it waits for such ends, and those that have looked before and write afterwards hand nothing over
(`no_hand_over.sql`, `finish_with_keys.sql`). What could not be handed over is let in as above.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final

from ferryman.domain.audit import Deed
from ferryman.domain.errors import StoreBusy, StoreError
from ferryman.domain.gates import Crowd, Went, changed
from ferryman.store.gating import Admitted
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.entering import known_of, lock, look_at, put, put_changed, row_of
from ferryman.store.postgres.keys import Change
from ferryman.store.postgres.lines import Lines
from ferryman.store.postgres.shares import join
from ferryman.store.postgres.steps import Ask, Steps, ask

TRIES: Final = 3
"""How often a gate may be forgotten, by the prune of another node, between being made and being locked."""


def let_in(keys: Collection[str], now: int, *, free: bool = False) -> Steps[tuple[int, set[str]]]:
    """Let in who may go at these gates. To be driven in a transaction of its own.

    Args:
        keys: of the gates.
        now: the time.
        free: whether gates at which somebody else lets in just now are passed over.

    Returns:
        How many went, or have come where claims draw from, and the keys whose gates are not there, or not free.
    """
    known = yield from lock(keys, free=free)
    missing = set(keys).difference(known)
    if not known:
        return 0, missing
    looks = yield from look_at(known, now)
    if any(look.crowd.slots and look.gate.rule != known[key].gate.rule for key, look in looks.items()):
        yield Ask("no_hand_over")
    sharing = {key: look for key, look in looks.items() if look.gate.rule.share is not None}
    # of a gate that is full and has no rate nothing is to be said
    asked = [
        key for key, look in looks.items() if key not in sharing and (look.room or look.gate.rule.rate is not None)
    ]
    rows = (yield Ask("let_in", (asked, [looks[key].room for key in asked], now))) if asked else ()
    went = {row[0]: Went(row[1], row[2]) for row in rows}
    joined, waiting = (yield from join(sharing)) if sharing else (0, set[str]())
    yield from put_changed(known, looks, went | {key: Went(0, more=True) for key in waiting}, now)
    return joined + sum(each.jobs for each in went.values()), missing


def change(key: str, make: Change, now: int, deed: Deed | None = None) -> Steps[bool]:
    """Change a gate, and let in who may go then. To be driven in a transaction of its own.

    Returns:
        Whether there was such a gate.
    """
    known = yield from lock([key])
    if not known:
        return False
    yield Ask("no_hand_over")
    ((_, slots, unclaimed, _, _),) = yield Ask("crowds", ([key], [True], [""]))
    before = known[key].gate
    after = make(before, Crowd(slots, unclaimed))
    yield put([row_of(key, after, None)])
    yield from let_in([key], now)
    yield from note(deed if changed(before, after) else None)
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

    async def _let_in(self, keys: Collection[str], now: int, over: Line, *, free: bool = False) -> int:
        if not keys:
            return 0
        count, missing = await over.transact(let_in(set(keys), now, free=free))
        if missing:
            await over.do(ask("make_gates", sorted(missing), False))
            more, _ = await over.transact(let_in(missing, now, free=free))
            count += more
        return count

    async def admit(self, now: int, limit: int) -> Admitted:
        """See `Gating.admit`. Where nobody waits, one look; the keys that it did not reach are for the next call."""
        ((waits, due),) = await self._chores.do(ask("next_gate"))
        if not waits:
            return Admitted(0, None)
        keys = {row[0] for row in await self._chores.do(ask("due_gates", now, limit))}
        keys |= await self._overlooked(now, limit)
        count = await self._let_in(keys, now, self._chores, free=True)
        ((_, due),) = await self._chores.do(ask("next_gate"))
        return Admitted(count, due)

    async def _overlooked(self, now: int, limit: int) -> set[str]:
        """Of the next keys before whose gates somebody waits those that seem to have room."""
        rows = await self._chores.do(ask("overlooked", self._looked, limit, now))
        self._looked = rows[-1][0] if len(rows) == limit else ""
        return {key for key, room in rows if room}

    async def change(self, key: str, make: Change, now: int, deed: Deed | None) -> None:
        """Change a gate, which is made if there is none. Raises StoreError."""
        for _ in range(TRIES):
            await self._people.do(ask("make_gates", [key], True))
            if await self._people.transact(change(key, make, now, deed)):
                return
        raise StoreBusy(f"The key {key!a} was forgotten while it was to be changed.", hint="Try again.")

    async def forget(self, now: int, limit: int, horizon: str) -> None:
        """Of the next gates: forget the slots of jobs that are not kept any longer, and those that nobody uses."""
        rows = await self._chores.do(ask("deserted_gates", self._forgotten, limit))
        self._forgotten = rows[-1][0] if len(rows) == limit else ""
        deserted = [key for key, is_deserted in rows if is_deserted]
        used = [key for key, is_deserted in rows if not is_deserted]
        if used:
            freed = {row[0] for row in await self._chores.do(ask("prune_slots", used, horizon))}
            await self.let_in(freed, now, over=self._chores)
        if deserted:
            await self._chores.transact(_drop(deserted, now))


def _drop(keys: Sequence[str], now: int) -> Steps[None]:
    """Drop those of these gates that are as good as new. In a transaction: nobody lets in meanwhile."""
    locked = {row[0]: known_of(row) for row in (yield Ask("lock_free_gates", (list(keys),)))}
    gone = [key for key, known in locked.items() if known.gate.as_new(now)]
    if gone:
        yield Ask("drop_gates", (gone,))
        yield Ask("drop_shares", (gone,))
