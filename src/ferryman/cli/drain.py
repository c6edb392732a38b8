"""`ferryman queues drain`: wait until a queue is empty."""

from __future__ import annotations

import click

from ferryman.cli.options import store_options
from ferryman.cli.report import FAILED
from ferryman.cli.session import session
from ferryman.cli.table import jobs
from ferryman.cli.words import duration
from ferryman.cli.world import World


@click.command()
@click.argument("queue")
@click.option("--timeout", type=duration, metavar="TIME", help="Give up after so long, such as 30s or 5m.")
@store_options
@click.pass_obj
def drain(world: World, /, *, queue: str, timeout: float | None, target: str | None, database_url: str | None) -> int:
    """Wait until nothing of QUEUE is pending or runs.

    \b
      ferryman queues drain mail --timeout 5m && deploy

    Scheduled jobs stay, and nobody is kept from enqueueing. With --timeout the exit code is 1 where the queue is
    not empty by then.
    """
    here = session(world, target, {"database_url": database_url})
    left = here.run(lambda client: client.controls.drain(queue, timeout))
    click.echo(
        f"{jobs(left)} of {queue} still pending or processing." if left else f"Nothing of {queue} waits or runs."
    )
    return FAILED if left else 0
