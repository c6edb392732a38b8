"""What the commands share that change jobs, by id or by what jobs have in common; and `ferryman jobs cancel`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import click
import msgspec

from ferryman.cli.confirming import asking
from ferryman.cli.jobs.filters import NAMES, Command, filter_of, filter_options, pages
from ferryman.cli.options import json_option, store_options
from ferryman.cli.report import FAILED, print_error
from ferryman.cli.session import session
from ferryman.cli.table import jobs
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.errors import FerrymanError, JobNotFound, StoreError, WrongState
from ferryman.domain.filters import Field, JobFilter
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.http.wire import page_json


class Changed(msgspec.Struct):
    """What became of it all."""

    jobs: list[Job] = []
    """Those that were named by id, as they then were."""
    errors: list[FerrymanError] = []
    count: int = 0
    stopped: bool = False
    """Whether a person said no."""


class Change(msgspec.Struct, frozen=True):
    """What is done to each job."""

    verb: str
    to: Callable[[Client, str], Coroutine[Any, Any, Job]]
    possible: frozenset[Status]
    """The statuses in which it can be done."""
    usual: frozenset[Status]
    """Those that are meant where no --status is given."""
    past: str
    all: Callable[[Client, JobFilter, int], Coroutine[Any, Any, Changed]] | None = None
    """Does it to all that fit and were made before a time, where there is a better way than one after the other."""
    is_end: bool = False
    """Whether a job is not there any more afterwards; it is told of as it was."""


def change_options(command: Command) -> Command:
    """Add what says which jobs are meant, and how to tell of them."""
    for option in (
        json_option("Write a JSON array of the jobs as they then are; for a filter, how many they were."),
        store_options,
        click.option("--yes", is_flag=True, help="Do not ask."),
        dry_run_option,
        filter_options,
        click.argument("words", nargs=-1, metavar="[ID|FILTER]..."),
    ):
        command = option(command)
    return command


def dry_run_option(command: Command) -> Command:
    """Add --dry-run."""
    return click.option("--dry-run", is_flag=True, help="Change nothing, and say how many jobs a filter means.")(
        command
    )


def change_jobs(
    world: World,
    change: Change,
    *,
    words: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    as_json: bool,
    target: str | None,
    database_url: str | None,
    **asked: Any,
) -> int:
    """Change what is meant, and say what became of it. Returns the exit code."""
    here = session(world, target, {"database_url": database_url})
    wanted = _wanted(change, words, asked, here.clock.now())
    if wanted is None:
        if dry_run:
            raise click.UsageError("A dry run is for many jobs: say which by a filter.")
        return _tell(change, here.run(lambda client: _change_each(change, client, words)), as_json=as_json)
    if dry_run:
        count, _, _ = here.run(lambda client: _count(client, wanted))
        click.echo(f'{{"would_change":{count}}}' if as_json else f"{jobs(count)} would be changed.")
        return 0
    ask = asking(world, change.verb, yes=yes)
    return _tell_count(change, here.run(lambda client: _change_all(change, client, wanted, ask)), as_json=as_json)


_LIVE: Final = frozenset(Status) - TERMINAL
CANCEL: Final = Change("cancel", Client.cancel, _LIVE, _LIVE, "cancelled, or asked to end")


@click.command()
@change_options
@click.pass_obj
def cancel(world: World, /, **asked: Any) -> int:
    """Cancel jobs, by id or by what they have in common.

    A job that waits is cancelled at once; the handler of one that runs is asked to end, and its job is
    cancelled when it has.

    \b
      ferryman jobs cancel 01890a5d-ac96-774b-bcce-b302099a8057
      ferryman jobs cancel --type greet --status pending
      ferryman jobs cancel 'type:mail.* payload.user.id:42' --dry-run

    With filters (docs/filters.md) it says how many jobs they are and asks; --yes does without, and off a
    terminal it is needed.
    """
    return change_jobs(world, CANCEL, **asked)


def are_ids(words: Sequence[str]) -> bool:
    """Whether words name jobs by id. Raises UsageError: some do, and others are terms of a filter."""
    ids = [word for word in words if ":" not in word]
    if ids and len(ids) < len(words):
        raise click.UsageError("Name jobs by id or by filters, not both. A filter with spaces goes into quotes.")
    return bool(ids)


def _wanted(change: Change, words: Sequence[str], asked: Mapping[str, Sequence[str]], now: int) -> JobFilter | None:
    """The filter, or None where jobs are named by id."""
    filtered = any(asked[name] for name in NAMES)
    if are_ids(words):
        if filtered:
            raise click.UsageError("Name jobs by id or by filters, not both.")
        return None
    if not words and not filtered:
        raise click.UsageError("Name jobs by id, or say which: type:greet, or --type, --queue, --status or --tag.")
    wanted = filter_of(asked, words, now)
    named = wanted.named(Field.STATUS)
    for status in sorted((named or frozenset()) - change.possible):
        allowed = ", ".join(each for each in Status if each in change.possible)
        raise click.UsageError(f"{change.verb} is not for {status} jobs, only for: {allowed}.")
    return msgspec.structs.replace(wanted, statuses=change.usual) if named is None else wanted


# -- by id ---------------------------------------------------------------------------------------


async def _change_each(change: Change, client: Client, ids: Sequence[str]) -> Changed:
    """One after the other, each for itself; a store that fails ends it."""
    done = Changed()
    for id in dict.fromkeys(ids):
        try:
            done.jobs.append(await client.shown(await change.to(client, id)))
        except StoreError:
            raise
        except FerrymanError as error:
            done.errors.append(error)
    return done


def _tell(change: Change, done: Changed, *, as_json: bool) -> int:
    if as_json:
        click.echo(b"".join(page_json(done.jobs)).decode())
    else:
        for job in done.jobs:
            asked = change is CANCEL and job.status is Status.PROCESSING
            became = change.past if change.is_end else job.status
            click.echo(f"{job.id} {became}{', its handler is asked to end' if asked else ''}")
    for error in done.errors:
        print_error(error)
    return FAILED if done.errors else 0


# -- by filter -----------------------------------------------------------------------------------


async def _change_all(change: Change, client: Client, wanted: JobFilter, ask: Callable[[str], bool]) -> Changed:
    """Count what fits, ask, change it; what came in after the count is left alone."""
    done = Changed()
    count, newest, made = await _count(client, wanted)
    if count and not ask(jobs(count)):
        done.stopped = True
        return done
    if change.all is not None:
        return await change.all(client, wanted, made)
    async for page in pages(client, wanted):
        ids = [job.id for job in page if job.id <= newest]
        answers = await asyncio.gather(*(change.to(client, id) for id in ids), return_exceptions=True)
        done.count += sum(not isinstance(each, BaseException) for each in answers)
        for each in answers:
            if isinstance(each, FerrymanError) and not isinstance(each, StoreError):
                # another hand was faster: that is no error of this command
                done.errors += [] if isinstance(each, WrongState | JobNotFound) else [each]
            elif isinstance(each, BaseException):
                each.add_note(f"Changed before: {jobs(done.count)}.")
                raise each
    return done


async def _count(client: Client, wanted: JobFilter) -> tuple[int, str, int]:
    """How many fit, the last of their ids, and when the youngest was made."""
    count, newest, made = 0, "", 0
    async for page in pages(client, wanted):
        count, newest = count + len(page), page[-1].id
        made = max(made, *(job.created_at for job in page))
    return count, newest, made


def _tell_count(change: Change, done: Changed, *, as_json: bool) -> int:
    if done.stopped:
        click.echo("Nothing was changed.", err=True)
        return FAILED
    click.echo(f'{{"changed":{done.count}}}' if as_json else f"{jobs(done.count)} {change.past}.")
    for error in done.errors:
        print_error(error)
    return FAILED if done.errors else 0
