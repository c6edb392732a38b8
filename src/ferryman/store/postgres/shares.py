"""Keys that take turns: those whose gates have shares join the rings of their lanes, and claims draw from these.

enqueue --> held, its key joins the ring of its lane          claim --> draw: lock the lane, lock the gates of those
                                                                        whose turn it is, held --> slot, ready
                                                              commit    then the claim itself
                                                              commit
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ferryman.domain.gates import Look, Went
from ferryman.domain.shares import Round
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.entering import lock, look_at, put_changed
from ferryman.store.postgres.steps import Ask, Steps, ask

WIDEST: Final = 1000
"""So many keys are looked at in one round at most."""


def join(looks: Mapping[str, Look]) -> Steps[tuple[int, set[str]]]:
    """Keys whose locked gates have shares take turns in the lanes where jobs of theirs stand, as far as there is room.

    Returns:
        How many are new there, and the keys before whose gates somebody stands.
    """
    rows = yield Ask("lanes_of_keys", (list(looks),))
    may_go = [(key, lane) for key, lane, _ in rows if looks[key].room]
    joined = 0
    if may_go:
        new = {lane for key, lane, is_fair in rows if looks[key].room and not is_fair}
        if new:  # a matter of the rules' edition: so all claims hear that they are to draw
            yield Ask("add_fair_lanes", (sorted(new),))
            yield Ask("next_edition")
        joined = len((yield Ask("join_shares", ([key for key, _ in may_go], [lane for _, lane in may_go]))))
    return joined, {row[0] for row in rows}


class Drawn(NamedTuple):
    """What a claim may find once it has drawn."""

    drawn: int = 0
    """How many were drawn for it, which others may claim before."""
    fewer: bool = False
    """Whether that is fewer than it wanted because others are ready, whom others may claim before, too."""

    def is_short(self, claimed: int) -> bool:
        """Whether others have taken some of those that were ready, where it has claimed so many."""
        return self.fewer or claimed < self.drawn


async def draw(over: Line, lanes: list[int], most: int, now: int, *, anew: bool = False) -> Drawn:
    """Before a claim: have those whose turn it is ready in each of its lanes, as many as it asks for.

    Each round is a transaction, since gates are locked in the order of their keys.

    Args:
        over: the connection of claims.
        lanes: in which keys take turns.
        most: how many jobs the claim asks for.
        now: the time.
        anew: whether as many are drawn although others are ready: whoever these are, the claim did not get them.
    """
    drawn, fewer = 0, False
    for lane, pending in await over.do(ask("undrawn", lanes)):
        fewer |= pending > 0
        count = width = most if anew else most - pending
        while count > 0:
            went = await over.transact(_round(lane, count, min(width, WIDEST), now))
            if went is None:
                break
            count -= went
            drawn += went
            width *= 2  # one that fell short has left a key fewer in the ring
    return Drawn(drawn, fewer)


def _round(lane: int, count: int, width: int, now: int) -> Steps[int | None]:
    """Returns how many went; None: there is nobody to go."""
    yield Ask("lock_fair", (lane,))
    rows = yield Ask("next_shares", (lane, width))
    if not rows:
        return None
    ats: dict[str, int] = dict(rows)  # type: ignore[arg-type]
    known = yield from lock(ats)
    looks = (yield from look_at(known, now)) if known else {}
    turns = Round(ats, looks, count)
    rooms = turns.rooms
    rows = (yield Ask("draw", (lane, list(rooms), list(rooms.values()), turns.order, now))) if rooms else ()
    went: dict[str, int] = {key: n for key, n, _ in rows}
    there = {key: n for key, _, n in rows if n}
    # whether somebody stands before the gate for another lane is not asked: a look too many does no harm
    some = {key: Went(went[key], more=True) for key in there}
    yield from put_changed(known, {key: looks[key] for key in some}, some, now)
    changed = turns.after(went, there)
    if not changed:
        return None  # somebody has locked the jobs whose turn it is, to end them
    tags, opens = [at for at, _ in changed.values()], [is_open for _, is_open in changed.values()]
    yield Ask("put_shares", (lane, list(changed), tags, opens))
    if any(went.values()):
        yield Ask("put_fair_lane", (lane, turns.time(went)))
    return sum(went.values())
