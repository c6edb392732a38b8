"""`ferryman stats`: what happened lately, and how long it took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import table
from ferryman.cli.words import moment, one_of
from ferryman.cli.world import World
from ferryman.domain.charts import Series, Stats
from ferryman.domain.moments import write_moment
from ferryman.domain.series import STEPS, By, Which
from ferryman.http.stats import stats_json

HEAD: Final = (
    "AT",
    "ENQUEUED",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "RETRIED",
    "PENDING",
    "WAIT P95",
    "RUN P50",
    "RUN P95",
)
BYS: Final = tuple(each.value for each in By)


@click.command()
@click.option("--queue", metavar="NAME", help="Only jobs of this queue.")
@click.option("--type", "type_name", metavar="NAME", help="Only jobs of this type.")
@click.option("--by", type=one_of(BYS), default=By.NONE.value, show_default=True, help="What has lines of its own.")
@click.option("--from", "start", type=moment, metavar="TIME", help="From when on; an hour before the end without.")
@click.option("--to", "end", type=moment, metavar="TIME", help="Until when; now without.")
@click.option("--step", type=click.IntRange(1, STEPS[-1]), metavar="SECONDS", help="How long a step is.")
@store_options
@json_option("Write a JSON object, as GET /stats gives it.")
@click.pass_obj
def stats(
    world: World,
    /,
    *,
    queue: str | None,
    type_name: str | None,
    by: str,
    start: int | None,
    end: int | None,
    step: int | None,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> None:
    """Show how many jobs came and ended in each minute of the last hour, and how long that took.

    \b
      ferryman stats --by queue --step 300
      ferryman stats --type report --from 2026-01-31T12:00:00Z --json

    Every minute is kept for two days, every hour for 90. Minutes in which no node lived are left out; the one
    after them has what happened in them.
    """
    here = session(world, target, {"database_url": database_url})
    which = Which(queue, type_name)
    found = here.run(lambda client: client.charts.draw(which, By(by), start=start, end=end, step=step))
    if as_json:
        click.echo(stats_json(found).decode())
        return
    for series in found.series:
        if by != By.NONE:
            click.echo(" ".join(name for name in (series.queue, series.type) if name is not None))
        click.echo(table(HEAD, list(_rows(found, series))))
    if found.left_out:
        click.echo(f"{found.left_out} more are left out.")


def _rows(found: Stats, series: Series) -> Iterator[tuple[str, ...]]:
    """A row for each step of which something is known."""
    for place, at in enumerate(found.period.edges[:-1]):
        if found.since[place] is not None or series.run.count[place]:
            counts = (
                series.enqueued,
                series.completed,
                series.failed,
                series.cancelled,
                series.retried,
                series.pending,
            )
            times = (series.wait.p95, series.run.p50, series.run.p95)
            yield (
                f"{write_moment(at)[:16]}Z",
                *("" if column[place] is None else str(column[place]) for column in counts),
                *(_seconds(column[place]) for column in times),
            )


def _seconds(value: float | None) -> str:
    """A time to three digits, in its own unit."""
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.3g}ms"
    return f"{value:.3g}s" if value < 1000 else f"{value:.0f}s"
