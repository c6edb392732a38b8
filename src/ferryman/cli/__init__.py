"""The command line: every command by its name, imported when it is called."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from ferryman.cli.group import LazyGroup
from ferryman.cli.report import exit_code, print_error, print_usage_error
from ferryman.cli.world import World
from ferryman.domain.errors import FerrymanError
from ferryman.version import VERSION

COMMANDS = {
    "serve": ("ferryman.cli.serve:serve", "Serve HTTP and run the jobs of TARGET."),
    "work": ("ferryman.cli.work:work", "Run the jobs of TARGET, without HTTP."),
    "dev": ("ferryman.cli.dev:dev", "Serve TARGET, and start it again whenever its code changes."),
    "demo": ("ferryman.cli.demo:demo", "Have a shop full of jobs to look around in; no app of yours is needed."),
    "enqueue": ("ferryman.cli.enqueue:enqueue", "Hand in a job of TYPE, or many."),
    "jobs": ("ferryman.cli.jobs:jobs", "Look at jobs, and change them: ls, show, explain, cancel, retry ..."),
    "operations": (
        "ferryman.cli.operations:operations",
        "Have nodes change every job that a filter means: add, ls, show, cancel.",
    ),
    "errors": ("ferryman.cli.errors:errors", "Show what attempts have failed of, like errors as one."),
    "events": ("ferryman.cli.events:events", "Print what happens to jobs, as it happens."),
    "queues": ("ferryman.cli.queues:queues", "Show how many jobs stand in each queue; drain one."),
    "pause": ("ferryman.cli.rules:pause", "Let no node start jobs of a queue or type."),
    "resume": ("ferryman.cli.rules:resume", "Let the jobs of a paused queue or type be started again."),
    "limit": ("ferryman.cli.rules:limit", "Bound how many jobs of a queue or type run at once, or start in a time."),
    "rules": ("ferryman.cli.rules:rules", "Show which queues and types are paused or limited."),
    "keys": ("ferryman.cli.keys:keys", "Look at the keys of jobs, and change what their gates keep to."),
    "api-keys": ("ferryman.cli.api_keys:api_keys", "Say who may use the HTTP API: add, ls, rotate, revoke."),
    "audit": ("ferryman.cli.audit:audit", "Show who changed what."),
    "stats": ("ferryman.cli.stats:stats", "Show what happened lately, minute by minute."),
    "nodes": ("ferryman.cli.nodes:nodes", "Show the processes that run jobs; quiet, resume or stop one."),
    "quiet": ("ferryman.cli.quiet:quiet", "Have nodes on this machine claim no more."),
    "prune": ("ferryman.cli.prune:prune", "Delete ended jobs now."),
    "schedules": (
        "ferryman.cli.schedules:schedules",
        "Have jobs enqueued by the clock: ls, show, add, pause, resume, run, rm.",
    ),
    "cron": ("ferryman.cli.cron:cron", "Say a cron expression in words, and show when it fires."),
    "migrate": ("ferryman.cli.migrate:migrate", "Bring the database up to date, or print how."),
    "config": ("ferryman.cli.config:config", "Show every setting: its value, and where that came from."),
    "check": ("ferryman.cli.check:check", "Look for what would go wrong, and say what to do about it."),
    "completion": ("ferryman.cli.completion:completion", "Print the script that completes commands in your shell."),
    "version": ("ferryman.cli.version:version", "Show the versions of Ferryman, Python and SQLite."),
}
EPILOG = """
Exit codes: 0 all went well; 1 the operation failed, or `check` found an error; 2 wrong usage or a bad
setting; 3 the environment (database, port, missing tool); 4 a forced stop.
"""


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(VERSION, "--version", prog_name="ferryman", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Ferryman, a job queue for Python: every job crosses once.

    Jobs are Python functions, declared with @app.job in a file of yours. `ferryman serve jobs.py` runs
    them, and takes new ones over HTTP.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None, world: World | None = None) -> None:
    """Run a command and exit with its code; what went wrong goes to stderr, for people."""
    world = world or World(environ=os.environ, folder=Path.cwd(), now=time.time, sqlite=sqlite3.sqlite_version_info)
    try:
        code = group.main(
            args=None if arguments is None else list(arguments),
            prog_name="ferryman",
            standalone_mode=False,
            obj=world,
        )
    except click.UsageError as error:
        print_usage_error(error)
        code = error.exit_code
    except click.Abort:
        code = 1
    except FerrymanError as error:
        print_error(error)
        code = exit_code(error)
    sys.exit(code or 0)
