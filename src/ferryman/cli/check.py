"""`ferryman check`: looks for what would go wrong, and says what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click
import msgspec

from ferryman.cli.findings import Finding, look_at_sqlite, wrong
from ferryman.cli.options import given, settings_options
from ferryman.cli.server_findings import look_at_server
from ferryman.cli.target import load_target
from ferryman.cli.world import World
from ferryman.domain.errors import FerrymanError
from ferryman.settings import NOTHING, Settings, examine
from ferryman.store.factory import MEMORY, sqlite_path

START_OF_2025: Final = 1_735_689_600
COLOURS: Final = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
@click.argument("target", required=False)
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array of findings.")
@click.pass_obj
def check(world: World, /, target: str | None, *, as_json: bool, **flags: Any) -> int:
    """Look for what would go wrong, and say what to do about it.

    Checks the settings, the database's place and schema, the clock, that TARGET can be loaded, and that it
    declares every type of which jobs are pending. Of SQLite its version and who else uses the file; of
    PostgreSQL the role's rights, what a crash could lose, old transactions, room for connections, poolers
    and the server's clock. Writes nothing. Exits with 1 if there is an error; warnings alone exit with 0.
    """
    findings = list(_look(world, target, given(flags)))
    click.echo(msgspec.json.encode(findings).decode() if as_json else "\n".join(map(_line, findings)))
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _look(world: World, /, target: str | None, flags: dict[str, str]) -> Iterator[Finding]:
    arguments, types = NOTHING, None
    try:
        app = load_target(target, world.folder)
        arguments, types = app.overrides, app.registry.types
        yield Finding(
            "ok", "target", f"The app has {len(app.registry.types)} types: {', '.join(sorted(app.registry.types))}."
        )
    except FerrymanError as error:
        yield wrong("target", error)
    loaded, problems = examine(flags, world.environ, world.folder, arguments)
    yield from (wrong("settings", problem) for problem in problems)
    if not problems:
        yield Finding("ok", "settings", "Every value is allowed.")
    yield from _look_at_database(world, loaded.settings, types)
    yield from _look_at_clock(world.now())


def _look_at_database(world: World, settings: Settings, types: frozenset[str] | None) -> Iterator[Finding]:
    path = sqlite_path(settings.database_url)
    if path is not None:
        yield from look_at_sqlite(path, world.sqlite, types)
    elif settings.database_url == MEMORY:
        yield Finding("warning", "database", "memory:// forgets every job when the process ends.")
    else:
        yield from look_at_server(settings, world.now, types)


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
