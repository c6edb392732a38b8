"""The verb by which people read the audit log, and what the verbs that write it have in common.

Each verb of an operator takes a `deed`. Where the verb changes something, the deed is written in the same transaction:
a verb that fails leaves neither, and one that finds all as it is to be writes none. A verb that is said again after a
reply was lost finds its own change, so the deed stands once; it stands twice only where the change was made twice,
such as by a retry of a job that has failed again in the meantime. Without a deed nothing is written down: so verbs are
said by what is no operator, such as the schedules that code declares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from ferryman.domain.audit import Deed

NEWEST: Final = 2**63 - 1
"""The number after every entry's."""
_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Entry(msgspec.Struct, frozen=True):
    """A deed in the log."""

    number: int
    """Grows with every entry."""
    deed: Deed


class AuditFilter(msgspec.Struct, frozen=True):
    """Which deeds to show; None is any."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None

    def fits(self, deed: Deed) -> bool:
        """Whether a deed is to be shown."""
        wanted = ((self.actor, deed.actor), (self.action, deed.action), (self.target, deed.target))
        return all(asked is None or asked == said for asked, said in wanted)


class Auditing(Protocol):
    """A part of `Store`."""

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        """The deeds that fit, the newest first.

        Args:
            filter: which.
            after: the number of the entry after which the page starts; None: the newest is the first.
            limit: how many at most.
        """
        ...


# -- rows, where a store keeps texts and numbers -----------------------------------------------------

Columns = tuple[int, str, str, str, str]
"""at, actor, action, target, detail"""


def columns_of(deed: Deed) -> Columns:
    """A deed as the columns of its row; `detail` is JSON."""
    return deed.at, deed.actor, str(deed.action), deed.target, _encode(deed.detail).decode()


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row."""
    number, at, actor, action, target, detail = row
    said: Mapping[str, Any] = _decode(detail)
    return Entry(number, Deed(at, actor, action, target, said))
