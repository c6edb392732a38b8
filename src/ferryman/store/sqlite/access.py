"""The API keys of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ferryman.domain.access import ApiKey, day_of
from ferryman.domain.audit import Deed
from ferryman.store.access import NONE_TAKEN, Added, Taken, after_add, columns_of, key_of
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.session import Session, encode

_rows: Final = msgspec.json.Decoder(list[list[Any]])
_taken: Final = msgspec.json.Decoder(list[tuple[str, int]])


def keys(session: Session, name: str | None = None) -> list[ApiKey]:
    """Every key, or those of a name."""
    return [key_of(row) for row in session.document("api_keys", _rows, which=name)]


def add(session: Session, key: ApiKey, now: int, until: int | None, deed: Deed | None) -> Added:
    """Write the rows of the name as they are after it."""
    kept = keys(session, key.name)
    added, after = after_add(kept, key, now, until)
    note(session, deed if after != kept else None)
    drop(session, [each.id for each in kept if each not in after], None)
    session.insert("put_api_key", [columns_of(each) for each in after if each not in kept])
    return added


def end(session: Session, ids: Sequence[str], now: int, deed: Deed | None) -> int:
    """Have keys expire; gives how many lived."""
    count = session.run("end_api_keys", ids=encode(ids).decode(), now=now)
    note(session, deed if count else None)
    return count


def drop(session: Session, ids: Sequence[str], deed: Deed | None) -> int:
    """Delete keys; gives how many there were."""
    count = session.run("drop_api_keys", ids=encode(ids).decode())
    note(session, deed if count else None)
    return count


def use(session: Session, used: Mapping[str, int]) -> None:
    """Write the later one of two times."""
    session.run("use_api_keys", used=encode(list(used.items())).decode())


def take(session: Session, name: str, quota: int, least: int, most: int, now: int) -> int:
    """Write what is taken of a quota thereafter; gives how many that is more."""
    row = session.one("quota", name=name)
    before = NONE_TAKEN if row is None else Taken(*row)
    after = before.after(day_of(now), quota, least, most)
    if after != before:
        session.run("put_quota", name=name, day=after.day, jobs=after.jobs)
    return after.more_than(before)


def taken(session: Session, now: int) -> dict[str, int]:
    """How many were taken on a day, by name."""
    rows = session.document("quotas", _taken, day=day_of(now))
    return dict(rows)
