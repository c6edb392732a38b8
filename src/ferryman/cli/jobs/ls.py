"""`ferryman jobs ls`: a page of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from ferryman.cli.jobs.filters import filter_of, filter_options, filter_words
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import brief, plain, span, table
from ferryman.cli.words import one_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.job import Job
from ferryman.http.wire import page_json
from ferryman.store.protocol import JobFilter, Page

HEAD: Final = ("ID", "TYPE", "QUEUE", "STATUS", "ATTEMPT", "AGE", "ERROR")


@click.command()
@filter_words
@filter_options
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.option(
    "--order",
    type=one_of(["asc", "desc"]),
    metavar="asc|desc",
    default="desc",
    show_default=True,
    help="desc: newest first; asc: oldest first.",
)
@store_options
@json_option("Write a JSON array, as GET /jobs does.")
@click.pass_obj
def ls(
    world: World,
    /,
    *,
    words: tuple[str, ...],
    limit: int,
    order: str,
    as_json: bool,
    target: str | None,
    database_url: str | None,
    **asked: Any,
) -> None:
    """List jobs, the newest first.

    \b
      ferryman jobs ls --status failed --type greet
      ferryman jobs ls 'type:mail.* error:timeout created:<1d'
      ferryman jobs ls 'payload.user.id:42 -status:completed'
      ferryman jobs ls --status pending --status scheduled --order asc --limit 20
      ferryman jobs ls --json --limit 10000

    All terms of a filter must hold, and what the options ask for, too; docs/filters.md has them all. Put the filter
    into single quotes; before one that begins with a minus write --.
    """
    here = session(world, target, {"database_url": database_url})
    asked_for = filter_of(asked, words, here.clock.now())
    wanted = msgspec.structs.replace(asked_for, limit=limit, newest_first=order == "desc", bodies=as_json)
    page = here.run(lambda client: _listed(client, wanted))
    if as_json:
        click.echo(b"".join(page_json(page)).decode())
    else:
        click.echo(listing(page, here.clock.now()))
    if page.next is not None and len(page) < limit:
        told = f"There may be more: only {page.looked_at} jobs were looked at."
        click.echo(f"{told} Bound the time, such as created:<7d.", err=True)
    elif len(page) == limit and not as_json:
        click.echo(f"There may be more: these are {limit}, --limit takes up to 10000.", err=True)


async def _listed(client: Client, wanted: JobFilter) -> Page:
    page = await client.list(wanted)
    return Page(await client.all_shown(page), page.next, page.looked_at)


def listing(jobs: Sequence[Job], now: int) -> str:
    """A table of jobs, or a word where there are none."""
    return table(HEAD, [_row(job, now) for job in jobs]) if jobs else "No jobs."


def _row(job: Job, now: int) -> tuple[str, ...]:
    tried = f"{job.attempt}/{job.max_attempts}"
    age = span(now - job.created_at)
    return (job.id, plain(job.type), plain(job.queue), job.status.value, tried, age, brief(job.error))
