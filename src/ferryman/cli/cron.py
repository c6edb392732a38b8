"""`ferryman cron`: when an expression fires, before anybody relies on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import click
import msgspec

from ferryman.cli.options import json_option
from ferryman.cli.world import World
from ferryman.domain.cron import Ambiguous, Cron, Nonexistent
from ferryman.domain.job import MICROS


@click.command()
@click.argument("expression")
@click.option("--time-zone", default="UTC", metavar="ZONE", help="Whose wall clock, such as Europe/Berlin.")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many times to show.")
@click.option(
    "--after",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Begin after this wall time instead of now.",
)
@click.option(
    "--ambiguous",
    type=click.Choice([each.value for each in Ambiguous]),
    default=Ambiguous.FIRST.value,
    show_default=True,
    help="When a fixed time fires that comes twice, as clocks are set back.",
)
@click.option(
    "--nonexistent",
    type=click.Choice([each.value for each in Nonexistent]),
    default=Nonexistent.SHIFT.value,
    show_default=True,
    help="What becomes of a fixed time that is left out, as clocks are set forward.",
)
@json_option("Write one JSON object: the expression in words, and the times.")
@click.pass_obj
def cron(
    world: World,
    /,
    *,
    expression: str,
    time_zone: str,
    count: int,
    after: datetime | None,
    ambiguous: str,
    nonexistent: str,
    as_json: bool,
) -> None:
    """Say a cron EXPRESSION in words, and show when it fires next.

    \b
      ferryman cron '30 2 * * MON-FRI' --time-zone Europe/Berlin
      ferryman cron '30 1 * * *' --time-zone America/New_York --after 2026-10-31 --ambiguous both

    Five fields: minute, hour, day of the month, month, day of the week; six begin with the second. A time of day
    that is left out as clocks are set forward fires at the change, one that comes twice fires once, unless you
    say otherwise. Where minute or hour begins with * it is an interval, which goes by real time.
    """
    schedule = Cron(expression, time_zone, Ambiguous(ambiguous), Nonexistent(nonexistent))
    schedule.check()
    zone = ZoneInfo(time_zone)
    start = round(world.now() * MICROS) if after is None else _micros(after.replace(tzinfo=zone))
    times = [_wall(tick, zone) for tick in islice(schedule.ticks(start), count)]
    if as_json:
        click.echo(msgspec.json.encode({"words": schedule.in_words(), "times": times}))
    else:
        click.echo("\n".join([f"{schedule.in_words()} ({time_zone})", *times]))


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _wall(tick: int, zone: ZoneInfo) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=tick)
    return moment.astimezone(zone).isoformat()
