"""`ferryman keys set`, `pause`, `resume` and `pass`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import click
import msgspec

from ferryman.cli.keys.look import tell
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import jobs
from ferryman.cli.words import rate as rate_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.keyed import gate_rule
from ferryman.store.protocol import KeyStatus


@click.command("set")
@click.argument("key")
@click.option("--concurrency", type=int, metavar="N", help="How many of its jobs may be on their way at once.")
@click.option("--rate", type=rate_of, metavar="RATE", help="How many may start: 100/s, 5/m, 20/h or 1000/d.")
@click.option("--burst", type=int, metavar="N", help="How many of these may start at once.")
@click.option("--share", type=int, metavar="N", help="Its weight where keys take turns: 2 starts twice as many as 1.")
@click.option("--sequence", is_flag=True, help="One after the other, in the order of their enqueues.")
@click.option("--on-failure", metavar="WORD", help="What a failed job does to a sequence: hold (by default) or pass.")
@click.option("--unset", is_flag=True, help="Have the next job bring the rule again.")
@store_options
@json_option("Write the key as one JSON object.")
@click.pass_obj
def set_(
    world: World, /, key: str, *, unset: bool, as_json: bool, target: str | None, database_url: str | None, **asked: Any
) -> None:
    """Pin what the gate of KEY keeps to, whatever its jobs bring along. Without an option it lets everybody in.

    \b
      ferryman keys set customer-7 --concurrency 2 --rate 10/s --burst 20
      ferryman keys set customer-7 --unset
    """
    given = {name: value for name, value in asked.items() if value is not None and value is not False}  # 0 is said
    if unset and given:
        raise click.UsageError("--unset goes with no other rule.")
    rule = gate_rule(**given)
    here = session(world, target, {"database_url": database_url})
    tell(here.run(lambda client: client.keys.unset(key) if unset else client.keys.set(key, rule)), as_json)


def _command(name: str, verb: Callable[[Client, str], Coroutine[Any, Any, KeyStatus]], help: str) -> click.Command:
    @click.command(name, help=help)
    @click.argument("key")
    @store_options
    @json_option("Write the key as one JSON object.")
    @click.pass_obj
    def command(world: World, /, key: str, *, as_json: bool, target: str | None, database_url: str | None) -> None:
        tell(session(world, target, {"database_url": database_url}).run(lambda client: verb(client, key)), as_json)

    return command


pause = _command(
    "pause",
    lambda client, key: client.keys.pause(key),
    "Let no more jobs of KEY in. Those that are pending or running go on.",
)
resume = _command("resume", lambda client, key: client.keys.resume(key), "Let jobs of KEY in again.")


@click.command("pass")
@click.argument("key")
@store_options
@json_option("Write a JSON array of the ids of the failed jobs.")
@click.pass_obj
def let_pass(world: World, /, key: str, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Let the sequence of KEY go on without the failed job for which it waits."""
    passed = session(world, target, {"database_url": database_url}).run(lambda client: client.keys.let_pass(key))
    if as_json:
        click.echo(msgspec.json.encode(passed).decode())
    else:
        click.echo(
            f"It goes on without {jobs(len(passed))}: {', '.join(passed)}." if passed else "It waits for nobody."
        )
