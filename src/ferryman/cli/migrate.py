"""`ferryman migrate`: brings the database up to date."""

from __future__ import annotations

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import database_of, session
from ferryman.cli.world import World
from ferryman.store.sqlite.database import check_version, inspect, newest_schema, open_migrated, upgrade_script


@click.command()
@click.option("--sql", is_flag=True, help="Print the statements that would run, and touch nothing.")
@store_options
@json_option("Write the file and its schema before and after as one JSON object.")
@click.pass_obj
def migrate(world: World, /, *, sql: bool, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Bring the database up to the schema of this version, and say from which one it came.

    A SQLite file is made if it is not there. `serve` and every command that opens the file do the same by
    themselves, so this is for those who want to choose the moment, or to read the statements before.
    """
    settings = session(world, target, {"database_url": database_url}).settings
    path = database_of(settings)
    check_version(world.sqlite)
    before, after = inspect(path), newest_schema()
    if sql:
        text = upgrade_script(before)
        told = msgspec.json.encode({"from": before, "to": after, "sql": text}).decode()
        click.echo(told if as_json else text.rstrip())
        return
    open_migrated(path).close()
    if as_json:
        click.echo(msgspec.json.encode({"database": str(path.resolve()), "from": before, "to": after}).decode())
    elif before == after:
        click.echo(f"{path} has schema {after} already; there was nothing to do.")
    else:
        click.echo(f"{path} was migrated from schema {before} to {after}." if before else f"{path} has schema {after}.")
