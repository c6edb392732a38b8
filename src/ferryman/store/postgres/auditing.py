"""The audit log of a database. What writes a deed is driven in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.domain.audit import KEPT, Deed
from ferryman.store.auditing import NEWEST, AuditFilter, Entry, columns_of, entry_of
from ferryman.store.postgres.steps import Ask, Steps


def note(deed: Deed | None) -> Steps[None]:
    """Write a deed down, if there is one; said by each verb that has changed something."""
    if deed is not None:
        yield Ask("add_deed", columns_of(deed))


def note_over(deed: Deed | None, ids: Sequence[str]) -> Steps[None]:
    """The same for a verb that has changed these jobs, or none."""
    if deed is not None and ids:
        yield from note(deed.over(ids))


def page(filter: AuditFilter, after: int | None, limit: int) -> Steps[list[Entry]]:
    """Those that fit, the newest first."""
    last = NEWEST if after is None else after
    rows = yield Ask("audit_page", (last, filter.actor, filter.action, filter.target, limit))
    return [entry_of(row) for row in rows]


def forget(now: int, limit: int) -> Ask:
    """Of the first entries: what drops those that are not kept any longer."""
    return Ask("prune_audit", (now - KEPT, limit))
