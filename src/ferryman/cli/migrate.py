"""`ferryman migrate`: brings the database up to date."""

from __future__ import annotations

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.report import FAILED
from ferryman.cli.session import session
from ferryman.cli.upgrading import Upgrade, upgrade_of
from ferryman.cli.world import World


@click.command()
@click.option("--sql", is_flag=True, help="Print the statements that would run, and touch nothing.")
@click.option("--check", is_flag=True, help="Say whether anything is missing, exit with 1 if so, and touch nothing.")
@click.option("--role", metavar="NAME", help="Let this role of PostgreSQL run nodes; it need not own the tables.")
@store_options
@json_option("Write the database and its schema before and after as one JSON object.")
@click.pass_obj
def migrate(
    world: World,
    /,
    *,
    sql: bool,
    check: bool,
    role: str | None,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> int:
    """Bring the database up to the schema of this version, and say from which one it came.

    A SQLite file is made if it is not there. `serve` and every command that opens the file do the same by
    themselves, so this is for those who want to choose the moment, or to read the statements before.

    A PostgreSQL database has to be there, and only this command and `ferryman dev` migrate it: run it before
    new code starts. Nodes of the version before go on meanwhile. What --sql prints is for psql.

    \b
      ferryman migrate --check || ferryman migrate --role ferry
      ferryman migrate --sql --role ferry | psql -v ON_ERROR_STOP=1 shop
    """
    if sql and check:
        raise click.UsageError("Give either --sql or --check, not both.")
    upgrade = upgrade_of(world, session(world, target, {"database_url": database_url}).settings, role)
    before = upgrade.before()
    if sql:
        text = upgrade.script()
        told = msgspec.json.encode({"from": before, "to": upgrade.newest, "sql": text}).decode()
        click.echo(told if as_json else text.rstrip())
        return 0
    if not check:
        upgrade.apply()
    told = msgspec.json.encode({"database": upgrade.name, "from": before, "to": upgrade.newest}).decode()
    click.echo(told if as_json else (_checked if check else _migrated)(upgrade, before))
    return FAILED if check and before < upgrade.newest else 0


def _migrated(upgrade: Upgrade, before: int) -> str:
    if before >= upgrade.newest:
        return f"{upgrade.place} has schema {before} already; there was nothing to do."
    if before:
        return f"{upgrade.place} was migrated from schema {before} to {upgrade.newest}."
    return f"{upgrade.place} has schema {upgrade.newest}."


def _checked(upgrade: Upgrade, before: int) -> str:
    if before >= upgrade.newest:
        return f"{upgrade.place} has schema {before}; nothing is missing."
    has = f"schema {before}" if before else "no tables of Ferryman's"
    return f"{upgrade.place} has {has}; this version works with schema {upgrade.newest}. Run: ferryman migrate"
