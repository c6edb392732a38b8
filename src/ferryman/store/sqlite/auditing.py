"""The audit log of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ferryman.domain.audit import KEPT, Deed
from ferryman.store.auditing import NEWEST, AuditFilter, Entry, columns_of, entry_of
from ferryman.store.sqlite.session import Session

_rows: Final = msgspec.json.Decoder(list[list[Any]])


def note(session: Session, deed: Deed | None) -> None:
    """Write a deed down, if there is one; said by each verb that has changed something."""
    if deed is not None:
        session.insert("add_deeds", [columns_of(deed)])


def note_over(session: Session, deed: Deed | None, ids: Sequence[str]) -> None:
    """The same for a verb that has changed these jobs, or none."""
    if deed is not None and ids:
        note(session, deed.over(ids))


def page(session: Session, filter: AuditFilter, after: int | None, limit: int) -> list[Entry]:
    """Those that fit, the newest first."""
    rows = session.document(
        "audit_page",
        _rows,
        after=NEWEST if after is None else after,
        actor=filter.actor,
        action=filter.action,
        target=filter.target,
        limit=limit,
    )
    return [entry_of(row) for row in rows]


def forget(session: Session, now: int, limit: int) -> None:
    """Of the first entries: drop those that are not kept any longer."""
    session.run("prune_audit", before=now - KEPT, limit=limit)
