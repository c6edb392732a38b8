"""`ferryman jobs retry`: by id, or by what jobs have in common, at once or at a rate."""

from __future__ import annotations

from typing import Any, Final

import click
import msgspec

from ferryman.cli.jobs.change import Change, Changed, are_ids, change_jobs, change_options
from ferryman.cli.table import jobs
from ferryman.cli.words import rate as rate_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.errors import WrongState
from ferryman.domain.options import rate_in_words
from ferryman.domain.state import RETRIABLE, Status
from ferryman.store.protocol import JobFilter

RETRY: Final = Change("retry", Client.retry, RETRIABLE, frozenset({Status.FAILED}), "pending again")


@click.command()
@click.option("--rate", type=rate_of, metavar="RATE", help="So many at a time: 100/s, 5/m or 20/h. Only with filters.")
@change_options
@click.pass_obj
def retry(world: World, /, *, words: tuple[str, ...], rate: float | None, **asked: Any) -> int:
    """Send failed or cancelled jobs back to pending, with all their attempts.

    \b
      ferryman jobs retry 01890a5d-ac96-774b-bcce-b302099a8057
      ferryman jobs retry --type greet --yes
      ferryman jobs retry --type mail --rate 100/s
      ferryman jobs retry 'type:mail.* error:timeout finished:<1d' --dry-run

    With filters it means failed jobs, and cancelled ones only with --status cancelled. It says how many they
    are and asks; --yes does without, and off a terminal it is needed. With a rate the jobs are scheduled one
    after the other, so that as many become pending in each second; the command does not wait for them.
    """
    if rate is None:
        return change_jobs(world, RETRY, words=words, **asked)
    if are_ids(words):
        raise click.UsageError("A rate is for many jobs: say which by filters.")
    return change_jobs(world, _at_a_rate(rate), words=words, **asked)


def _at_a_rate(rate: float) -> Change:
    async def all_of(client: Client, wanted: JobFilter, before: int) -> Changed:
        told = await client.controls.retry_all(wanted, rate, before)
        done = Changed(count=told.count)
        if told.taken:
            why = "Live jobs have their unique keys by now."
            done.errors = [WrongState(f"{jobs(told.taken)} could not be retried.", why=why)]
        return done

    return msgspec.structs.replace(RETRY, past=f"sent back at {rate_in_words(rate)}", all=all_of)
