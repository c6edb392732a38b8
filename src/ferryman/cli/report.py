"""How errors reach people: what happened, why, what to do; never a traceback for a coded error."""

from __future__ import annotations

import click

from ferryman.domain.errors import (
    BadFilter,
    FerrymanError,
    PortInUse,
    SettingsError,
    StartupFailed,
    StoreError,
    ToolMissing,
)

FAILED = 1
USAGE = 2
ENVIRONMENT = 3


def exit_code(error: FerrymanError) -> int:
    """The exit code for an error: 2 for what the caller wrote, 3 for what surrounds us, else 1."""
    if isinstance(error, PortInUse | ToolMissing | StoreError):
        return ENVIRONMENT
    if isinstance(error, StartupFailed):
        return FAILED
    return USAGE if isinstance(error, SettingsError | BadFilter) else FAILED


def print_error(error: FerrymanError) -> None:
    """Three short lines on stderr, as far as there is something to say."""
    click.echo(f"{click.style('error', fg='red', bold=True)} {error.code}: {error.what}", err=True)
    notes = [("note", note) for note in getattr(error, "__notes__", ())]
    for label, text in (("why", error.why), *notes, ("do", error.hint), ("see", error.link)):
        if text:
            click.echo(f"  {label + ':':<4} {text}", err=True)


def print_usage_error(error: click.UsageError) -> None:
    """The same shape for a command line that cannot be read."""
    click.echo(f"{click.style('error', fg='red', bold=True)}: {error.format_message()}", err=True)
    command = "ferryman" if error.ctx is None else error.ctx.command_path
    click.echo(f"  {'do:':<5}{command} --help shows what is possible.", err=True)
