"""`ferryman serve`: HTTP and workers in one process, until a signal stops them."""

from __future__ import annotations

from typing import Any

import click

from ferryman.app import Ferryman
from ferryman.cli.options import given, settings_options
from ferryman.cli.target import load_target
from ferryman.cli.world import World
from ferryman.main import run
from ferryman.settings import Settings, load


@click.command()
@click.argument("target", required=False)
@settings_options
@click.pass_obj
def serve(world: World, /, target: str | None, **flags: Any) -> int:
    """Serve HTTP and run the jobs of TARGET, in one process.

    TARGET is a Python file (jobs.py) or a module (shop.jobs) that holds an app, `app = Ferryman()`; with
    several apps say which one: jobs.py:app. Without TARGET, app.py or jobs.py in this folder is taken.

    SIGTERM or Ctrl-C stops in order: nothing new is taken, running jobs finish within the stop deadline.
    A second one ends the process at once, with exit code 4.
    """
    app = load_target(target, world.folder)
    loaded = load(given(flags), world.environ, world.folder, app.overrides)
    return (world.run or _serve)(loaded.settings, app)


def _serve(settings: Settings, app: Ferryman) -> int:
    return run(settings, app.registry, attach=app.attach)
