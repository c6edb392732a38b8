"""The verbs about keys."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from ferryman.domain import gates
from ferryman.domain.audit import Deed
from ferryman.domain.gates import Gate
from ferryman.domain.keys import GateRule
from ferryman.store.gating import LAST, Admitted, KeyStatus
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.entering import crowds_of, gates_of, text
from ferryman.store.sqlite.gating import leave, let_in, touch
from ferryman.store.sqlite.session import Session, encode

_page: Final = msgspec.json.Decoder(list[tuple[str, Gate, int, int, tuple[str, ...]]])
_keys: Final = msgspec.json.Decoder(list[str])
_deserted: Final = msgspec.json.Decoder(list[tuple[str, Gate, bool | int]])


def next_due(session: Session) -> int | None:
    """When the next token comes for which somebody waits."""
    row = session.one("next_gate")
    return None if row is None else row[0]


def admit(session: Session, now: int, limit: int) -> Admitted:
    """Look at the gates for which a token is there by now. Nobody else is overlooked: who makes room lets in, too."""
    for key in session.document("due_gates", _keys, now=now, limit=limit):
        touch(session, key)
    count = let_in(session, now)
    return Admitted(count, next_due(session))


def keys(session: Session, after: str | None, limit: int) -> list[KeyStatus]:
    """The gates there are."""
    rows = session.document("key_page", _page, first="", last=LAST, after=after or "", limit=limit)
    return [_status(row) for row in rows]


def key(session: Session, name: str) -> KeyStatus | None:
    """One of them."""
    rows = session.document("key_page", _page, first=name, last=name, after="", limit=1)
    return _status(rows[0]) if rows else None


def _status(row: tuple[str, Gate, int, int, tuple[str, ...]]) -> KeyStatus:
    name, gate, slots, waiting, failed = row
    return KeyStatus(
        key=name,
        rule=gate.rule,
        pinned=gate.pinned,
        paused=gate.paused,
        slots=slots,
        waiting=waiting,
        held_by=failed,
    )


def set_key(session: Session, name: str, rule: GateRule | None, now: int, deed: Deed | None) -> None:
    """Pin a rule, or unpin it."""
    gate = before = _gate(session, name)
    if rule is not None:
        gate = gates.ruled(gate, rule, crowds_of(session, [name], unclaimed=True)[name], now)
    _put(session, name, before, replace(gate, pinned=rule is not None), now, deed)


def pause_key(session: Session, name: str, paused: bool, now: int, deed: Deed | None) -> None:
    """Close the gate, or open it."""
    gate = _gate(session, name)
    _put(session, name, gate, replace(gate, paused=paused), now, deed)


def pass_key(session: Session, name: str, now: int, deed: Deed | None) -> list[str]:
    """Free the slots of the failed."""
    passed = session.document("failed_slots", _keys, key=name)
    if passed:
        leave(session, dict.fromkeys(passed, name))
        let_in(session, now)
        note(session, deed)
    return passed


def _gate(session: Session, name: str) -> Gate:
    row = gates_of(session, [name]).get(name)
    return Gate() if row is None else row.gate


def _put(session: Session, name: str, before: Gate, gate: Gate, now: int, deed: Deed | None) -> None:
    session.insert("put_gates", [(name, encode(gate).decode(), None)])
    session.gates.clear()
    touch(session, name)
    let_in(session, now)
    note(session, deed if gates.changed(before, gate) else None)


class Deserted:
    """Forgets gates that nobody uses, walking over all of them in the order of their keys."""

    def __init__(self) -> None:
        self._after = ""

    def step(self, session: Session, now: int, limit: int) -> None:
        """Look at the next `limit` gates."""
        rows = session.document("deserted_gates", _deserted, after=self._after, limit=limit)
        gone = [name for name, gate, deserted in rows if deserted and gate.as_new(now)]
        if gone:
            session.run("drop_gates", keys=text(gone))
            session.run("drop_shares", keys=text(gone))
        self._after = rows[-1][0] if len(rows) == limit else ""
