"""`ferryman pause`, `resume`, `limit` and `rules`: what holds for all jobs of a queue or a type."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, table
from ferryman.cli.words import rate as rate_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.client.rules import limit_of
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.options import rate_in_words
from ferryman.http.rules import rule_json, rules_json

F = TypeVar("F", bound=Callable[..., Any])
HEAD: Final = ("SCOPE", "NAME", "PAUSED", "CONCURRENCY", "RATE", "BURST")


def _named(function: F) -> F:
    """A queue by its name, or a type."""
    for add in (
        json_option("Write what holds now as JSON."),
        store_options,
        click.option("--type", "type", metavar="TYPE", help="A type instead of a queue."),
        click.argument("queue", required=False),
    ):
        function = add(function)
    return function


@click.command()
@_named
@click.pass_obj
def pause(world: World, /, **asked: Any) -> None:
    """Let no node start jobs of QUEUE; what runs goes on, and new jobs are accepted.

    \b
      ferryman pause mail
      ferryman pause --type send_report
    """
    _say(world, asked, lambda client, scope, name: client.rules.pause(scope, name))


@click.command()
@_named
@click.pass_obj
def resume(world: World, /, **asked: Any) -> None:
    """Let the jobs of a paused QUEUE be started again."""
    _say(world, asked, lambda client, scope, name: client.rules.resume(scope, name))


@click.command()
@_named
@click.option("--concurrency", type=int, metavar="N", help="So many at once, over all nodes.")
@click.option("--rate", type=rate_of, metavar="RATE", help="So many starts: 100/s, 5/m, 20/h or 1000/d.")
@click.option("--burst", type=int, metavar="N", help="So many starts at once after a lull (1).")
@click.option("--none", is_flag=True, help="End the limit.")
@click.pass_obj
def limit(
    world: World, /, *, concurrency: int | None, rate: float | None, burst: int | None, none: bool, **asked: Any
) -> None:
    """Bound how many jobs of QUEUE run at once, and how many are started in a time, over all nodes.

    \b
      ferryman limit mail --concurrency 5
      ferryman limit --type charge_card --rate 100/s --burst 20
      ferryman limit mail --none

    It holds for every start from now on. What it does not name is not bounded any more.
    """
    given = any(each is not None for each in (concurrency, rate, burst))
    if none == given:
        raise click.UsageError("Give --concurrency, --rate or both; or --none, which ends the limit.")
    wanted = limit_of(concurrency=concurrency, rate=rate, burst=burst) if given else Limit()
    _say(world, asked, lambda client, scope, name: client.rules.limit(scope, name, wanted))


@click.command()
@store_options
@json_option("Write a JSON array, one object per rule.")
@click.pass_obj
def rules(world: World, /, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show which queues and types are paused or limited."""
    found = session(world, target, {"database_url": database_url}).run(lambda client: client.rules.all())
    if as_json:
        click.echo(rules_json(found).decode())
    else:
        click.echo(table(HEAD, [_row(rule) for rule in found]) if found else "Nothing is paused or limited.")


def _say(world: World, asked: dict[str, Any], verb: Callable[[Client, Scope, str], Coroutine[Any, Any, Rule]]) -> None:
    """Say a verb of a queue or a type, and tell what holds now."""
    queue, type = asked["queue"], asked["type"]
    if (queue is None) == (type is None):
        raise click.UsageError("Name a queue, or a type with --type.")
    scope, name = (Scope.QUEUE, queue) if type is None else (Scope.TYPE, type)
    here = session(world, asked["target"], {"database_url": asked["database_url"]})
    rule = here.run(lambda client: verb(client, scope, name))
    click.echo(rule_json(rule).decode() if asked["as_json"] else _sentence(rule))


def _sentence(rule: Rule) -> str:
    limit = rule.limit
    parts = ["paused"] if rule.paused else []
    if limit.concurrency is not None:
        parts.append(f"at most {limit.concurrency} at once")
    if limit.rate is not None:
        parts.append(f"at most {rate_in_words(limit.rate)} started, {limit.burst} at once after a lull")
    return f"{rule.scope.capitalize()} {rule.name}: {', '.join(parts) or 'neither paused nor limited'}."


def _row(rule: Rule) -> tuple[str, ...]:
    limit = rule.limit
    return (
        rule.scope,
        plain(rule.name),
        "yes" if rule.paused else "",
        "" if limit.concurrency is None else str(limit.concurrency),
        "" if limit.rate is None else rate_in_words(limit.rate),
        "" if limit.rate is None else str(limit.burst),
    )
