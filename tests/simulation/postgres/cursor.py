"""Up to where a node has looked in a lane: exact, although transactions commit in another order than they begin.

    passed, all of it      a gap: in progress when it was passed        the position      new
    ----------------------[ transaction 17 ]---------------------------|----------------------->  (xid, arrival)

A pending job has its place by the transaction that made it pending, and is seen once that commits. So jobs may appear
behind the position, but only of a transaction that was in progress when the position went past it. Those are the gaps:
each look sees what is new, and what is in the gaps.

Pure; a cursor is a value. The node takes the new one once it has the answer of its claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

Key = tuple[int, int]
"""(xid, arrival): the place of a pending job in its lane. The xid is that of the transaction that made it pending."""
LAST: Final = 2**62
"""Greater than any arrival."""


class Snapshot(msgspec.Struct, frozen=True):
    """What a statement sees: each transaction below `xmax` that is not `running` had ended when it began."""

    xmax: int
    running: frozenset[int]
    """Transactions below `xmax` that were in progress."""


class Cursor(msgspec.Struct, frozen=True):
    """One lane, as one connection has seen it. A new one has seen nothing."""

    position: Key = (0, 0)
    """What comes after it is new."""
    gaps: Mapping[int, int] = {}
    """Transactions before the position of which something may be left; of each, the arrival up to which it was
    passed: 0, unless a look ended within it."""

    def covers(self, key: Key) -> bool:
        """Whether the next look has to see what stands there."""
        xid, arrival = key
        return key > self.position or arrival > self.gaps.get(xid, LAST)

    def moved(self, snapshot: Snapshot, passed: Key | None) -> Cursor:
        """The cursor after a look, which has taken all that it covers and saw up to `passed`; None: all that it saw.

        A gap goes only with a look whose own snapshot has seen that it had ended. The position never comes to `xmax`:
        a look sees jobs of its own transaction beyond that, and between them may be others of which it knows nothing.
        """
        known = (snapshot.xmax - 1, LAST)
        if passed is None:
            return Cursor(known, dict.fromkeys(sorted(snapshot.running), 0))
        xid, arrival = passed = min(passed, known)
        if passed > self.position:
            return Cursor(passed, {each: 0 for each in sorted(snapshot.running) if each < xid})
        gaps = {each: after for each, after in self.gaps.items() if each > xid or each in snapshot.running}
        gaps[xid] = arrival
        return Cursor(self.position, gaps)
