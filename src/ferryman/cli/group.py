"""A group whose commands are imported when they are called, so that `ferryman --help` is quick."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import click

from ferryman.domain.suggest import did_you_mean


@click.pass_context
def _show_help(ctx: click.Context) -> None:
    """What a group does by default where none of its commands is called: that is no mistake, so the exit code is 0."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


class LazyGroup(click.Group):
    """Knows its commands by (module:attribute, help in one line)."""

    def __init__(
        self,
        name: str | None = None,
        *,
        commands_at: Mapping[str, tuple[str, str]],
        callback: Callable[..., Any] = _show_help,
        **more: Any,
    ) -> None:
        super().__init__(name, callback=callback, invoke_without_command=True, no_args_is_help=False, **more)
        self._places = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for an unknown name."""
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was called, or name the nearest one."""
        name = args[0]
        if name not in self._places and not name.startswith("-"):
            suggestion = did_you_mean(name, self._places) or f"The commands are: {', '.join(self._places)}."
            raise click.UsageError(f"There is no command {name!r}. {suggestion}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._places.items()])
