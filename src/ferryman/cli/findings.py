"""What `ferryman check` finds, and how it looks at a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from ferryman.cli.table import jobs
from ferryman.domain.errors import FerrymanError, SqliteTooOld, StoreError
from ferryman.domain.suggest import did_you_mean
from ferryman.store.describing import SAFE_SQLITE
from ferryman.store.sqlite.database import check_version, inspect, newest_schema
from ferryman.store.sqlite.examining import pending_types, processes_on


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    level: str
    """ok, warning or error"""
    about: str
    what: str
    code: str = ""
    hint: str = ""


def wrong(about: str, error: FerrymanError) -> Finding:
    """The finding for an error."""
    return Finding("error", about, f"{error.what} {error.why}".strip(), error.code, error.hint)


def look_at_sqlite(path: Path, version: tuple[int, ...], types: frozenset[str] | None) -> Iterator[Finding]:
    """Look at a file from outside; `types` are those that the target declares, if it could be loaded."""
    try:
        yield from _look_at_file(path, types)
    except StoreError as error:
        yield wrong("database", error)
    yield _look_at_version(path, version)


def _look_at_file(path: Path, types: frozenset[str] | None) -> Iterator[Finding]:
    """Raises StoreError."""
    schema, newest = inspect(path), newest_schema()
    if not path.exists():
        yield Finding("ok", "database", f"{path.resolve()} can be created.")
        return
    yield Finding("ok", "database", f"{path.resolve()} can be used.")
    if schema < newest:
        what = f"The database has schema {schema}; this version works with {newest}."
        hint = "The next start migrates it; `ferryman migrate` does so now, `ferryman migrate --sql` shows how."
        yield Finding("warning", "schema", what, hint=hint)
    elif types is not None:
        yield from look_at_types(pending_types(path), types)


def look_at_types(pending: Mapping[str, int], declared: frozenset[str]) -> Iterator[Finding]:
    """Look at how many jobs of each type are pending, and which types the target declares."""
    for type, count in pending.items():
        if type not in declared:
            what = f"{jobs(count)} of type {type} pending, and the target does not declare it."
            near = did_you_mean(type, declared)
            hint = f"{near} They wait until some node does; `ferryman jobs cancel --type {type}` ends them.".strip()
            yield Finding("warning", "types", what, hint=hint)


def _look_at_version(path: Path, version: tuple[int, ...]) -> Finding:
    has = f"SQLite {_dotted(version)}"
    try:
        check_version(version)
    except SqliteTooOld as error:
        return wrong("sqlite", error)
    if version >= SAFE_SQLITE:
        return Finding("ok", "sqlite", f"{has}.")
    what = f"{has} has a rare bug that can damage a file which several processes write."
    others = processes_on(path)
    if others:
        what = f"{what} {others} process{'es have' if others > 1 else ' has'} this file open now."
    hint = f"One process is safe. For several, SQLite has to be {_dotted(SAFE_SQLITE)} or later."
    return Finding("warning", "sqlite", what, hint=hint)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
