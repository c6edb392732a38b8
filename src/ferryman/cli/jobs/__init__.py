"""`ferryman jobs`: look at jobs, and change them."""

from __future__ import annotations

import click

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "ls": ("ferryman.cli.jobs.ls:ls", "List jobs, the newest first."),
    "show": ("ferryman.cli.jobs.show:show", "Show everything about a job, with each of its attempts."),
    "explain": ("ferryman.cli.jobs.explain:explain", "Say why a job has not started."),
    "cancel": ("ferryman.cli.jobs.change:cancel", "Cancel jobs, by id or by what they have in common."),
    "retry": ("ferryman.cli.jobs.change:retry", "Send failed or cancelled jobs back to pending."),
    "tail": ("ferryman.cli.jobs.tail:tail", "Print jobs as they change, until Ctrl-C."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS, invoke_without_command=True, no_args_is_help=False)
@click.pass_context
def jobs(ctx: click.Context) -> None:
    """Look at jobs, and change them."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
