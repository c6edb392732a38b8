"""`ferryman schedules add`."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import click

from ferryman.cli.arguments import payload_of_json, payload_of_pairs
from ferryman.cli.options import json_option, store_options
from ferryman.cli.schedules.look import shown
from ferryman.cli.session import session
from ferryman.cli.table import plain
from ferryman.cli.words import duration
from ferryman.cli.world import World
from ferryman.client import Client, JobRequest
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.cron import ALL_MOST, Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.schedule import Overlap
from ferryman.http.schedule_wire import in_words, schedule_json
from ferryman.store.scheduling import KeptSchedule, Put

_OF_THE_JOB: Final = ("type", "queue", "priority", "max_attempts", "timeout", "unique_key", "tags")
_DONE: Final = MappingProxyType({Put.CREATED: "is added", Put.CHANGED: "is changed", Put.UNCHANGED: "was so already"})


def _words(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([each.value for each in kind])


@click.command()
@click.argument("name")
@click.argument("expression")
@click.argument("type")
@click.argument("arguments", nargs=-1, metavar="[ARGUMENT=VALUE]...")
@click.option("--time-zone", default="UTC", metavar="ZONE", help="Whose wall clock, such as Europe/Berlin.")
@click.option("--missed", type=_words(Missed), default="skip", show_default=True, help="Ticks for which no node ran.")
@click.option("--max-missed", type=int, default=ALL_MOST, show_default=True, help="With --missed all: how many.")
@click.option(
    "--overlap", type=_words(Overlap), default="allow", show_default=True, help="Ticks while the last job lives."
)
@click.option(
    "--ambiguous", type=_words(Ambiguous), default="first", show_default=True, help="A fixed time that comes twice."
)
@click.option(
    "--nonexistent", type=_words(Nonexistent), default="shift", show_default=True, help="One that is left out."
)
@click.option("--payload", metavar="JSON", help="All arguments as one JSON object.")
@click.option("--queue", metavar="NAME", help="Stand in this queue instead of the type's own.")
@click.option("--priority", type=int, help="0 runs first, 9 last.")
@click.option("--max-attempts", type=int, help="How often to try.")
@click.option("--timeout", type=duration, metavar="DURATION", help="How long a run may take, such as 30 or 5m.")
@click.option("--unique-key", metavar="KEY", help="No two jobs of a type that have not ended share one.")
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="A word to find the jobs by; repeatable.")
@store_options
@json_option("Write the schedule as one JSON object.")
@click.pass_obj
def add(world: World, /, *, as_json: bool, target: str | None, database_url: str | None, **asked: Any) -> None:
    """Add the schedule NAME, which enqueues a job of TYPE by a cron EXPRESSION; or change the one of that name.

    \b
      ferryman schedules add nightly '30 2 * * MON-FRI' report --time-zone Europe/Berlin
      ferryman schedules add ping '*/15 * * * * *' probe url=https://example.org --overlap skip

    The arguments of the handler are given as to `ferryman enqueue`. `ferryman cron` shows when an expression fires.
    A running node follows within two seconds.
    """
    here = session(world, target, {"database_url": database_url})
    request = _request(asked)

    async def work(client: Client) -> tuple[Put, KeptSchedule]:
        return await client.schedules.put(request), await shown(client, request.name)

    done, kept = here.run(work, create=target is not None or here.settings.accept_unknown_types)
    if as_json:
        click.echo(schedule_json(kept, here.clock.now()).decode())
    else:
        told = f"The schedule {kept.name} {_DONE[done]}"
        click.echo(f"{told}: {plain(in_words(kept) or '')} ({kept.schedule.cron.time_zone}).")


def _request(asked: dict[str, Any]) -> ScheduleRequest:
    if asked["payload"] is None:
        payload = payload_of_pairs(asked["arguments"])
    elif asked["arguments"]:
        raise click.UsageError("Give either ARGUMENT=VALUE arguments or --payload, not both.")
    else:
        payload = payload_of_json(asked["payload"].encode("utf-8", "surrogateescape"))
    cron = Cron(
        asked["expression"], asked["time_zone"], Ambiguous(asked["ambiguous"]), Nonexistent(asked["nonexistent"])
    )
    return ScheduleRequest(
        name=asked["name"],
        cron=cron,
        job=JobRequest(**{name: asked[name] for name in _OF_THE_JOB}, payload=payload),
        missed=Missed(asked["missed"]),
        max_missed=asked["max_missed"],
        overlap=Overlap(asked["overlap"]),
    )
