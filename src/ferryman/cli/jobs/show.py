"""`ferryman jobs show`: everything about one job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from typing import Any, Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import lines_of, plain, span
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.job import Attempt, Job, JobError
from ferryman.domain.report import ProgressOf
from ferryman.http.attempts import attempt_of
from ferryman.http.reports import progress_of
from ferryman.http.wire import job_json, write_moment

_TIMES: Final = ("run_at", "created_at", "started_at", "finished_at", "expires_at")
_WIDTH: Final = 14


@click.command()
@click.argument("id")
@store_options
@json_option(
    "Write one JSON object: the job as GET /jobs/ID has it, with its progress, its attempts and their tracebacks."
)
@click.pass_obj
def show(world: World, /, id: str, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show everything about a job, with each of its attempts.

    The attempts are listed oldest first, each with its error and traceback; a cancel or a retry by a person
    stands among them. Arguments and result are shown as they are stored, but for Secret arguments; those
    of a type that no node has registered yet are known with --target only.
    """
    here = session(world, target, {"database_url": database_url})
    job, progress, attempts = here.run(lambda client: _read(client, id))
    if as_json:
        whole: dict[str, Any] = msgspec.json.decode(job_json(job), type=dict[str, msgspec.Raw])
        more = {"progress": progress_of(progress), "attempts": [attempt_of(each) for each in attempts]}
        click.echo(msgspec.json.encode({**whole, **more}).decode())
        return
    now = here.clock.now()
    told = [*_lines(job, now)] if progress is None else [*_lines(job, now), _progress(progress, now)]
    click.echo("\n".join([*told, *(line for each in attempts for line in _attempt(each))]))


async def _read(client: Client, id: str) -> tuple[Job, ProgressOf | None, Sequence[Attempt]]:
    job = await client.shown(await client.get(id))
    return job, await client.reports.progress(id), await client.attempts(id)


def _lines(job: Job, now: int) -> Iterator[str]:
    """The contract's fields in their order; what is not there is left out."""
    for name in Job.__struct_fields__:
        value = getattr(job, name)
        if value is None or value == ():
            continue
        if name in _TIMES:
            yield _line(name, _moment(value, now))
        elif name == "tags":
            yield _line(name, ", ".join(value))
        elif name == "error":
            yield _line(name, _short(value))
        else:
            yield _line(name, str(value))


def _progress(told: ProgressOf, now: int) -> str:
    """How far it is, and since when."""
    said = told.progress
    parts = [f"{said.done:,g}"] if said.total is None else [f"{said.done:,g} of {said.total:,g}"]
    if said.fraction is not None:
        parts[0] += f" ({floor(said.fraction * 100)}%)"
    parts += [said.message] if said.message else []
    return _line("progress", ", ".join([*parts, f"claim {told.number}, {span(now - said.at)} ago"]))


def _attempt(attempt: Attempt) -> Iterator[str]:
    yield ""
    yield f"claim {attempt.number}: {attempt.what}, then {attempt.status}"
    yield _line("  attempt", str(attempt.attempt))
    if attempt.started_at is not None:
        yield _line("  started_at", write_moment(attempt.started_at))
        yield _line("  took", span(attempt.finished_at - attempt.started_at))
    yield _line("  finished_at", write_moment(attempt.finished_at))
    for name in ("worker_id", "node"):
        value = getattr(attempt, name)
        if value is not None:
            yield _line(f"  {name}", value)
    if attempt.error is not None:
        if attempt.error.group is not None:
            yield _line("  group", attempt.error.group)
        yield _line("  error", _short(attempt.error))
        if attempt.error.traceback is not None:
            yield from (f"    {line}" for line in lines_of(attempt.error.traceback.rstrip()))


def _line(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}}{plain(text)}"


def _moment(micros: int, now: int) -> str:
    away = f"in {span(micros - now)}" if micros > now else f"{span(now - micros)} ago"
    return f"{write_moment(micros)} ({away})"


def _short(error: JobError) -> str:
    return f"{error.code} {error.type}: {error.message}"
