"""`ferryman config`: what the settings are, and who said so."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from ferryman.cli.options import given, settings_options
from ferryman.cli.target import load_target
from ferryman.cli.world import World
from ferryman.settings import NOTHING, TABLE, Loaded, Setting, load


@click.command()
@click.argument("target", required=False)
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object: by name the value and its source.")
@click.pass_obj
def config(world: World, /, target: str | None, *, as_json: bool, **flags: Any) -> None:
    """Show every setting: its value, and where that came from.

    A flag wins over an argument of Ferryman() in TARGET, that over the environment, that over
    ferryman.toml or [tool.ferryman] in pyproject.toml in this folder, and that over the default.
    Without TARGET no app is asked. Passwords are not shown.
    """
    arguments = NOTHING if target is None else load_target(target, world.folder).overrides
    loaded = load(given(flags), world.environ, world.folder, arguments)
    click.echo(_as_json(loaded) if as_json else _as_table(loaded))


def _as_table(loaded: Loaded) -> str:
    rows = [(each.name, _text(loaded, each), loaded.sources[each.field]) for each in TABLE]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}" for name, value, source in rows)


def _as_json(loaded: Loaded) -> str:
    rows = {each.name: {"value": _plain(loaded, each), "source": loaded.sources[each.field]} for each in TABLE}
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode()


def _text(loaded: Loaded, setting: Setting) -> str:
    return setting.kind.show(getattr(loaded.settings, setting.field))


def _plain(loaded: Loaded, setting: Setting) -> Any:
    """A value that JSON has: seconds, bytes, lists; a secret as it is shown to people."""
    return _text(loaded, setting) if setting.secret else getattr(loaded.settings, setting.field)
