"""The audit log of a memory store."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ferryman.domain.audit import KEPT, Deed
from ferryman.store.auditing import NEWEST, AuditFilter, Entry
from ferryman.store.memory.tables import Tables


class Auditing:
    """See `store.auditing`."""

    _tables: Tables

    def _note(self, deed: Deed | None) -> None:
        """Write a deed down, if there is one; said by each verb that has changed something."""
        if deed is not None:
            self._tables.audited += 1
            self._tables.audit.append(Entry(self._tables.audited, deed))

    def _note_over(self, deed: Deed | None, ids: Sequence[str]) -> None:
        """The same for a verb that has changed these jobs, or none."""
        if deed is not None and ids:
            self._note(deed.over(ids))

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        """Those that fit, from the end."""
        last = NEWEST if after is None else after
        fit = (each for each in reversed(self._tables.audit) if each.number < last and filter.fits(each.deed))
        return list(islice(fit, limit))

    def _forget_deeds(self, now: int, limit: int) -> None:
        """Of the first entries: drop those that are not kept any longer."""
        log = self._tables.audit
        log[:limit] = [each for each in log[:limit] if each.deed.at > now - KEPT]
