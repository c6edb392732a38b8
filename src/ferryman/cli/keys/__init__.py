"""`ferryman keys`: look at the keys of jobs, and change what their gates keep to."""

from __future__ import annotations

import click

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "ls": ("ferryman.cli.keys.look:ls", "List the keys in use."),
    "show": ("ferryman.cli.keys.look:show", "Show one key."),
    "set": ("ferryman.cli.keys.change:set_", "Pin what the gate of a key keeps to, or unpin it."),
    "pause": ("ferryman.cli.keys.change:pause", "Let no more jobs of a key in."),
    "resume": ("ferryman.cli.keys.change:resume", "Let jobs of a key in again."),
    "pass": ("ferryman.cli.keys.change:let_pass", "Let a sequence go on without its failed job."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS, invoke_without_command=True, no_args_is_help=False)
@click.pass_context
def keys(ctx: click.Context) -> None:
    """Look at the keys of jobs, and change what their gates keep to."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
