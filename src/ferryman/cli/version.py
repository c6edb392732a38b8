"""`ferryman version`: what a bug report needs."""

from __future__ import annotations

import platform

import click
import msgspec

from ferryman.cli.world import World
from ferryman.version import VERSION


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@click.pass_obj
def version(world: World, /, *, as_json: bool) -> None:
    """Show the versions of Ferryman, Python and SQLite."""
    versions = {"ferryman": VERSION, "python": platform.python_version(), "sqlite": ".".join(map(str, world.sqlite))}
    if as_json:
        click.echo(msgspec.json.encode(versions).decode())
    else:
        click.echo("\n".join(f"{name} {number}" for name, number in versions.items()))
