"""The verbs about keys, over the tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from msgspec.structs import replace

from ferryman.domain import gates
from ferryman.domain.audit import Deed
from ferryman.domain.gates import Gate
from ferryman.domain.keys import GateRule
from ferryman.store.gating import Admitted, KeyStatus
from ferryman.store.memory.auditing import Auditing
from ferryman.store.memory.gates import GateRow, status_of


class Keys(Auditing):
    """See `Gating`."""

    async def admit(self, now: int, limit: int) -> Admitted:
        """Look at the gates for which a token is there by now. Here nobody is overlooked."""
        own = self._tables.gates
        own.touched.update(key for key, row in own.rows.items() if row.due is not None and row.due <= now)
        count = self._tables.let_in(now)
        return Admitted(count, own.next_due())

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        """The gates there are."""
        rows = self._tables.gates.rows
        return [status_of(key, rows[key]) for key in islice(sorted(k for k in rows if k > (after or "")), limit)]

    async def key(self, key: str) -> KeyStatus | None:
        """One of them."""
        row = self._tables.gates.rows.get(key)
        return None if row is None else status_of(key, row)

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        """Pin a rule, or unpin it."""
        own = self._tables.gates
        row = own.made(key)
        gate = row.gate if rule is None else gates.ruled(row.gate, rule, own.crowd(row, row.gate.rule, rule), now)
        self._put(row, replace(gate, pinned=rule is not None), deed)
        self._tables.let_in(now)

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        """Close the gate, or open it."""
        row = self._tables.gates.made(key)
        self._put(row, replace(row.gate, paused=paused), deed)
        self._tables.let_in(now)

    def _put(self, row: GateRow, gate: Gate, deed: Deed | None) -> None:
        self._note(deed if gates.changed(row.gate, gate) else None)
        row.gate = gate

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """Free the slots of the failed."""
        row = self._tables.gates.rows.get(key)
        passed = sorted(row.failed) if row is not None else []
        for id in passed:
            self._tables.gates.left(self._tables.jobs[id].job)
        self._tables.let_in(now)
        self._note(deed if passed else None)
        return passed
