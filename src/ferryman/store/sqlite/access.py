"""The API keys of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ferryman.domain.access import ApiKey
from ferryman.store.access import Added, after_add, columns_of, key_of
from ferryman.store.sqlite.session import Session, encode

_rows: Final = msgspec.json.Decoder(list[list[Any]])


def keys(session: Session, name: str | None = None) -> list[ApiKey]:
    """Every key, or those of a name."""
    return [key_of(row) for row in session.document("api_keys", _rows, which=name)]


def add(session: Session, key: ApiKey, now: int, until: int | None) -> Added:
    """Write the rows of the name as they are after it."""
    kept = keys(session, key.name)
    added, after = after_add(kept, key, now, until)
    drop(session, [each.id for each in kept if each not in after])
    session.insert("put_api_key", [columns_of(each) for each in after if each not in kept])
    return added


def end(session: Session, ids: Sequence[str], now: int) -> int:
    """Have keys expire; gives how many lived."""
    return session.run("end_api_keys", ids=encode(ids).decode(), now=now)


def drop(session: Session, ids: Sequence[str]) -> int:
    """Delete keys; gives how many there were."""
    return session.run("drop_api_keys", ids=encode(ids).decode())


def use(session: Session, used: Mapping[str, int]) -> None:
    """Write the later one of two times."""
    session.run("use_api_keys", used=encode(list(used.items())).decode())
