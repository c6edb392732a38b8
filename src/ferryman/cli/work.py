"""`ferryman work`: workers without HTTP, until a signal stops them."""

from __future__ import annotations

from typing import Any

import click

from ferryman.cli.options import settings_options
from ferryman.cli.starting import start
from ferryman.cli.world import World


@click.command()
@click.argument("target", required=False)
@settings_options
@click.option("--report-to", type=int, hidden=True, help="The open descriptor on which a supervisor listens.")
@click.pass_obj
def work(world: World, /, target: str | None, *, report_to: int | None, **flags: Any) -> int:
    """Run the jobs of TARGET, without HTTP.

    TARGET is what `serve` takes. Jobs come from whoever else uses the same database: a web application, the
    command line, a `ferryman serve`. With --processes N this process supervises N others that run the jobs.

    Signals are those of `serve`.
    """
    return start(world, target, flags, http=False, report_to=report_to)
