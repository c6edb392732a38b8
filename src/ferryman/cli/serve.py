"""`ferryman serve`: HTTP and workers, until a signal stops them."""

from __future__ import annotations

from typing import Any

import click

from ferryman.cli.options import settings_options
from ferryman.cli.starting import start
from ferryman.cli.world import World


@click.command()
@click.argument("target", required=False)
@settings_options
@click.option("--migrate", is_flag=True, hidden=True, help="Bring the database up to date first, as `dev` wants it.")
@click.pass_obj
def serve(world: World, /, target: str | None, *, migrate: bool, **flags: Any) -> int:
    """Serve HTTP and run the jobs of TARGET.

    TARGET is a Python file (jobs.py) or a module (shop.jobs) that holds an app, `app = Ferryman()`; with
    several apps say which one: jobs.py:app. Without TARGET, app.py or jobs.py in this folder is taken.

    With --processes N this process serves HTTP, and N others run the jobs: each is a node with workers of its
    own. One that dies is replaced, and its jobs run again at once.

    SIGTERM or Ctrl-C stops in order: nothing new is taken, running jobs finish within the stop deadline.
    A second one ends the process at once, with exit code 4. SIGUSR1: claim no more, and go on otherwise.
    """
    return start(world, target, flags, http=True, migrate=migrate)
