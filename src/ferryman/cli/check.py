"""`ferryman check`: looks for what would go wrong, and says what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click
import msgspec

from ferryman.cli.options import given, settings_options
from ferryman.cli.target import load_target
from ferryman.cli.world import World
from ferryman.domain.errors import FerrymanError, SqliteTooOld, StoreError
from ferryman.settings import NOTHING, examine
from ferryman.store.factory import sqlite_path
from ferryman.store.sqlite.database import check_version, inspect

SAFE_SQLITE: Final = (3, 51, 3)
"""Before it, a WAL that is reset by one process while another one writes could be corrupted."""
START_OF_2025: Final = 1_735_689_600
COLOURS: Final = {"ok": "green", "warning": "yellow", "error": "red"}


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    level: str
    """ok, warning or error"""
    about: str
    what: str
    code: str = ""
    hint: str = ""


@click.command()
@click.argument("target", required=False)
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array of findings.")
@click.pass_obj
def check(world: World, /, target: str | None, *, as_json: bool, **flags: Any) -> int:
    """Look for what would go wrong, and say what to do about it.

    Checks the settings, the database's place, SQLite's version, the clock, and that TARGET can be
    loaded. Writes nothing. Exits with 1 if there is an error; warnings alone exit with 0.
    """
    findings = list(_look(world, target, given(flags)))
    click.echo(msgspec.json.encode(findings).decode() if as_json else "\n".join(map(_line, findings)))
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _look(world: World, /, target: str | None, flags: dict[str, str]) -> Iterator[Finding]:
    arguments = NOTHING
    try:
        app = load_target(target, world.folder)
        arguments = app.overrides
        yield Finding(
            "ok", "target", f"The app has {len(app.registry.types)} types: {', '.join(sorted(app.registry.types))}."
        )
    except FerrymanError as error:
        yield _wrong("target", error)
    loaded, problems = examine(flags, world.environ, world.folder, arguments)
    yield from (_wrong("settings", problem) for problem in problems)
    if not problems:
        yield Finding("ok", "settings", "Every value is allowed.")
    yield from _look_at_database(loaded.settings.database_url, world.sqlite)
    yield from _look_at_clock(world.now())


def _wrong(about: str, error: FerrymanError) -> Finding:
    return Finding("error", about, f"{error.what} {error.why}".strip(), error.code, error.hint)


def _look_at_database(url: str, version: tuple[int, ...]) -> Iterator[Finding]:
    path = sqlite_path(url)
    if path is None:
        yield Finding("warning", "database", "memory:// forgets every job when the process ends.")
        return
    try:
        inspect(path)
    except StoreError as error:
        yield _wrong("database", error)
    else:
        yield Finding("ok", "database", f"{path.resolve()} can be {'used' if path.exists() else 'created'}.")
    yield _look_at_sqlite(version)


def _look_at_sqlite(version: tuple[int, ...]) -> Finding:
    has = f"SQLite {_dotted(version)}"
    try:
        check_version(version)
    except SqliteTooOld as error:
        return _wrong("sqlite", error)
    if version < SAFE_SQLITE:
        what = f"{has} has a rare bug that can damage a file which several processes write."
        hint = f"One process is safe. For several, SQLite has to be {_dotted(SAFE_SQLITE)} or later."
        return Finding("warning", "sqlite", what, hint=hint)
    return Finding("ok", "sqlite", f"{has}.")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _look_at_clock(now: float) -> Iterator[Finding]:
    if now < START_OF_2025:
        yield Finding(
            "error",
            "clock",
            f"The clock says {datetime.fromtimestamp(now, UTC):%Y-%m-%d}, which is in the past.",
            hint="Set the clock, or wait for time synchronisation: jobs would be stamped wrongly.",
        )
    else:
        yield Finding("ok", "clock", "The clock is plausible.")


def _line(finding: Finding) -> str:
    level = click.style(f"{finding.level:<8}", fg=COLOURS[finding.level])
    code = f"{finding.code}: " if finding.code else ""
    hint = f"\n{'':<18}{finding.hint}" if finding.hint else ""
    return f"{level} {finding.about:<9}{code}{finding.what}{hint}"
