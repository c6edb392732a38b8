"""`ferryman enqueue`: hands jobs in."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import click

from ferryman.cli.arguments import payload_of_json, payload_of_pairs, read_bounded
from ferryman.cli.lines import Lines
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import Session, Work, session
from ferryman.cli.table import jobs, plain
from ferryman.cli.words import duration, moment, one_of
from ferryman.cli.world import World
from ferryman.client import Client, JobRequest
from ferryman.domain.errors import JobCancelled, JobFailed, UnknownType
from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.http.wire import job_json

STDIN: Final = "-"
FOR_EVER: Final = "for ever"
_ALONE: Final = ("wait", "unique_key", "idempotency_key")
"""Options that make no sense for many jobs at once."""


def _wait(text: str) -> float:
    """Seconds, or for ever."""
    return math.inf if text == FOR_EVER else duration(text)


@click.command()
@click.argument("type")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--payload", metavar="JSON", help="All arguments as one JSON object; - reads it from stdin.")
@click.option("--lines", metavar="FILE", help="A job per line of FILE, each line the payload of one; - is stdin.")
@click.option("--queue", metavar="NAME", help="Stand in this queue instead of the type's own.")
@click.option("--priority", type=int, help="0 runs first, 9 last.")
@click.option("--max-attempts", type=int, help="How often to try.")
@click.option("--timeout", type=duration, metavar="DURATION", help="How long a run may take, such as 30 or 5m.")
@click.option("--delay", type=duration, metavar="DURATION", help="Not before so long from now, such as 30 or 2h.")
@click.option("--run-at", type=moment, metavar="TIME", help="Not before a time, such as 2030-01-31T12:00:00Z.")
@click.option("--expires-at", type=moment, metavar="TIME", help="Cancel the job unless it was started before a time.")
@click.option("--key", metavar="KEY", help="Whose gate lets it in: it waits while that key has no room.")
@click.option("--unique-key", metavar="KEY", help="No two jobs of a type that have not ended share one.")
@click.option(
    "--on-conflict",
    type=one_of(["error", "return"]),
    metavar="WORD",
    default="error",
    show_default=True,
    help="What a taken unique key gives: an error, or the job that has it.",
)
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="A word to find the job by; repeatable.")
@click.option("--idempotency-key", metavar="KEY", help="Two enqueues with one key within 24 hours are one.")
@click.option(
    "--wait",
    type=_wait,
    is_flag=False,
    flag_value=FOR_EVER,
    metavar="[DURATION]",
    help="Wait until the job has ended, at most so long, and print its result. Write it last, or --wait=10s.",
)
@store_options
@json_option("Write the job as one JSON object; with --lines how many were accepted.")
@click.pass_obj
def enqueue(world: World, /, *, as_json: bool, target: str | None, database_url: str | None, **asked: Any) -> int:
    """Hand in a job of TYPE, and print its id once it is on disk.

    The arguments of the handler are given as NAME=VALUE. A VALUE that is JSON is taken as such, anything
    else as text: n=3 is a number, name=Ada a text, name='"3"' a text as well.

    \b
      ferryman enqueue greet name=Ada greeting="Good morning"
      ferryman enqueue greet --payload '{"name": "Ada"}' --delay 5m --wait
      ferryman enqueue greet --lines people.jsonl

    With --target jobs.py the arguments are checked against the handler's signature. Without it, TYPE has to
    be one that some node has registered. Either way the job takes the type's queue, priority and attempts.

    With --lines a wrong line ends it: the lines before it are accepted, and the error says how many.
    With --wait the exit code is 1 if the job failed, was cancelled, or had not ended in time.
    """
    here = session(world, target, {"database_url": database_url})
    try:
        return _enqueue(world, here, asked, as_json=as_json, declared=target is not None)
    except UnknownType as error:
        if target is None:
            error.add_note("With --target the types that a file declares are known, too.")
        raise


def _enqueue(world: World, here: Session, asked: dict[str, Any], *, as_json: bool, declared: bool) -> int:
    create = declared or here.settings.accept_unknown_types
    if asked["lines"] is not None:
        return _enqueue_lines(world, here, asked, as_json=as_json, create=create)
    payload = _payload(asked["arguments"], asked["payload"], here.settings.max_body)
    job = here.run(_enqueue_one(_request(asked, payload), asked["wait"], as_json=as_json), create=create)
    if as_json:
        click.echo(job_json(job).decode())
    if asked["wait"] is None:
        return 0
    result = _result(job)
    if not as_json:
        click.echo(result)
    return 0


def _payload(pairs: tuple[str, ...], text: str | None, most: int) -> str:
    if text is None:
        return payload_of_pairs(pairs)
    if pairs:
        raise click.UsageError("Give either NAME=VALUE arguments or --payload, not both.")
    if text == STDIN:
        return payload_of_json(read_bounded(sys.stdin.buffer, most))
    return payload_of_json(text.encode("utf-8", "surrogateescape"))


def _request(asked: dict[str, Any], payload: str) -> JobRequest:
    wanted = {name: asked[name] for name in JobRequest.__struct_fields__ if name in asked and name != "payload"}
    return JobRequest(**wanted, payload=payload)


def _enqueue_one(request: JobRequest, wait: float | None, *, as_json: bool) -> Work[Job]:
    """Hand a job in and print its id at once, also where its end is waited for."""

    async def work(client: Client) -> Job:
        accepted = await client.enqueue(request)
        if not as_json:
            click.echo(accepted.id)
        if wait is None:
            return await client.shown(accepted.job())
        return await client.shown(await client.wait(accepted.id, None if math.isinf(wait) else wait))

    return work


def _result(job: Job) -> str:
    """What an ended job gave, as JSON. Raises JobFailed, JobCancelled."""
    if job.status is Status.COMPLETED:
        return job.result or "null"
    why = "" if job.error is None else f"{job.error.code} {job.error.type}: {job.error.message}"
    kind = JobFailed if job.status is Status.FAILED else JobCancelled
    raise kind(f"Job {job.id} ended {job.status}.", why=plain(why), hint=f"ferryman jobs show {job.id} has all of it.")


# -- many jobs -----------------------------------------------------------------------------------


def _enqueue_lines(world: World, here: Session, asked: dict[str, Any], *, as_json: bool, create: bool) -> int:
    for name in _ALONE:
        if asked[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is for one job, --lines for many.")
    if asked["arguments"] or asked["payload"] is not None:
        raise click.UsageError("With --lines the arguments come from the lines.")
    with _stream(world.folder, asked["lines"]) as stream, _progress(world) as progress:
        handler = here.registry.get(asked["type"])
        lines = Lines(stream, _request(asked, "{}"), handler, here.settings.max_body)
        count = here.run(lambda client: lines.enqueue(client, progress), create=create)
    click.echo(f'{{"accepted":{count}}}' if as_json else f"{jobs(count)} accepted.")
    return 0


@contextmanager
def _stream(folder: Path, name: str) -> Generator[IO[bytes]]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = (folder / name).open("rb")
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror}.") from error
    with stream:
        yield stream


@contextmanager
def _progress(world: World) -> Generator[Callable[[int], None]]:
    """Says how far it got, on stderr, where that is a terminal."""
    if not world.is_terminal(sys.stderr):
        yield lambda _: None
        return
    try:
        yield lambda accepted: click.echo(f"\r{jobs(accepted)} accepted", err=True, nl=False)
    finally:
        click.echo("\r\033[K", err=True, nl=False)
