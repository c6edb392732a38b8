"""`ferryman jobs logs`: what the runs of a job have logged."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import lines_of, plain
from ferryman.cli.world import World
from ferryman.domain.report import LogLine, Logs
from ferryman.http.reports import line_of
from ferryman.http.wire import write_moment


@click.command()
@click.argument("id")
@click.option("--claim", type=click.IntRange(0, 2**31 - 1), help="Only the run with this claim number.")
@store_options
@json_option("Write one JSON object: the lines as GET /jobs/ID/logs has them, and how many were dropped.")
@click.pass_obj
def logs(
    world: World, /, id: str, *, claim: int | None, as_json: bool, target: str | None, database_url: str | None
) -> None:
    """Show what the runs of a job have logged, oldest first.

    Of each run its first 500 lines are kept, up to 64 KiB; how many there were beyond is said at the end.
    """
    found = session(world, target, {"database_url": database_url}).run(
        lambda client: client.reports.all_logs(id, claim)
    )
    if as_json:
        told = {"lines": [line_of(each) for each in found.lines], "dropped": found.dropped}
        click.echo(msgspec.json.encode(told).decode())
        return
    for line in _lines(found):
        click.echo(line)


def _lines(logs: Logs) -> Iterator[str]:
    """Each run under a line of its own."""
    number: int | None = None
    for each in logs.lines:
        if each.number != number:
            number = each.number
            yield f"claim {each.number}, attempt {each.attempt}:"
        yield from _line(each)
    if logs.dropped:
        yield f"{logs.dropped:,} more were not kept."


def _line(told: LogLine) -> Iterator[str]:
    """A line; what it has below, such as a traceback, stands a little to the right."""
    line = told.line
    first, *rest = lines_of(line.message.rstrip())
    yield f"  {write_moment(line.at)[11:23]} {plain(line.level.upper()):<7} {plain(line.logger)}: {first}"
    yield from (f"    {each}" for each in rest)
