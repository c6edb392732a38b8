"""`ferryman schedules ls` and `show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, span, table
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.cron import Missed
from ferryman.http.schedule_wire import in_words, next_runs, schedule_json, schedules_json
from ferryman.http.wire import write_moment
from ferryman.store.scheduling import KeptSchedule

HEAD: Final = ("NAME", "TYPE", "CRON", "ZONE", "NEXT", "FIRED", "FROM")
_WIDTH: Final = 14


@click.command()
@store_options
@json_option("Write a JSON array, as GET /schedules does.")
@click.pass_obj
def ls(world: World, /, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """List schedules by name, and when each fires next.

    FROM says who wants it: code, people, or former code, which declares it no more. Such a schedule goes on until
    it is dropped. An asterisk marks one that code declares and people have changed.
    """
    here = session(world, target, {"database_url": database_url})
    found = here.run(_listed)
    now = here.clock.now()
    if as_json:
        click.echo(schedules_json(found, now).decode())
    else:
        click.echo(table(HEAD, [_row(each, now) for each in found]) if found else "No schedules.")


@click.command()
@click.argument("name")
@store_options
@json_option("Write one JSON object, as GET /schedules/NAME does.")
@click.pass_obj
def show(world: World, /, *, name: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show everything about the schedule NAME, with its next five runs."""
    here = session(world, target, {"database_url": database_url})
    kept = here.run(lambda client: shown(client, name))
    now = here.clock.now()
    click.echo(schedule_json(kept, now).decode() if as_json else "\n".join(_lines(kept, now)))


async def _listed(client: Client) -> Sequence[KeptSchedule]:
    return await client.schedules.shown(await client.schedules.list())


async def shown(client: Client, name: str) -> KeptSchedule:
    """One schedule as it may be shown. Raises ScheduleNotFound."""
    [found] = await client.schedules.shown([await client.schedules.get(name)])
    return found


def _row(kept: KeptSchedule, now: int) -> tuple[str, ...]:
    schedule = kept.schedule
    source = f"{kept.source}{'*' if kept.overridden else ''}"
    cron = plain(schedule.cron.expression)
    return (kept.name, schedule.order.type, cron, schedule.cron.time_zone, _next(kept, now), str(kept.fired), source)


def _next(kept: KeptSchedule, now: int) -> str:
    if kept.paused:
        return "paused"
    runs = next_runs(kept, now, 1)
    return f"in {span(runs[0] - now)}" if runs else "never"


def _lines(kept: KeptSchedule, now: int) -> Iterator[str]:
    schedule = kept.schedule
    cron, order = schedule.cron, schedule.order
    yield _line("name", kept.name)
    yield _line("cron", f"{cron.expression} ({cron.time_zone})")
    yield _line("in words", in_words(kept) or "cannot be read on this machine")
    yield _line("set back", cron.ambiguous)
    yield _line("set forward", cron.nonexistent)
    missed = f"{schedule.missed}, at most {schedule.max_missed}" if schedule.missed is Missed.ALL else schedule.missed
    yield _line("missed", missed)
    yield _line("overlap", schedule.overlap)
    yield _line("type", order.type)
    yield _line("payload", order.payload)
    yield _line("queue", order.queue)
    yield _line("priority", str(order.priority))
    yield _line("max_attempts", str(order.max_attempts))
    for name, value in (("timeout", order.timeout), ("unique_key", order.unique_key), ("tags", ", ".join(order.tags))):
        if value:
            yield _line(name, str(value))
    yield _line("from", f"{kept.source}{', changed by people' if kept.overridden else ''}")
    yield _line("fired", f"{kept.fired} times, {kept.skipped} skipped")
    if kept.last_job is not None:
        yield _line("last job", kept.last_job)
    yield _line("created_at", write_moment(kept.created_at))
    yield _line("changed_at", write_moment(kept.changed_at))
    yield _line("next", "paused" if kept.paused else "")
    yield from (f"  {_wall(at, cron.time_zone)}" for at in next_runs(kept, now))


def _line(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}}{plain(text)}".rstrip()


def _wall(tick: int, zone: str) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=tick)
    return moment.astimezone(ZoneInfo(zone)).isoformat()
