"""Rules for queues and types: what people set, and what a claim asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.job import Lane
from ferryman.domain.limits import Bounds, Bucket, Limit, Rule, Scope, Use, limiting
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Ask, Steps


class Rules:
    """Every rule that this process has heard of, and the edition that they are."""

    def __init__(self) -> None:
        self.edition = -1
        self.all: Sequence[Rule] = ()
        self.fair: frozenset[int] = frozenset()
        """The lanes in which keys take turns."""


# -- people --------------------------------------------------------------------------------------


def read(rules: Rules) -> Steps[Sequence[Rule]]:
    """Learn all rules that there are."""
    rows = yield Ask("rules")
    rules.all = [
        Rule(Scope(scope), name, paused, Limit(concurrency, rate, burst))
        for _, scope, name, paused, concurrency, rate, burst, _ in rows
        if scope is not None
    ]
    rules.edition, *_, fair = rows[0]
    rules.fair = frozenset(fair)
    return rules.all


def pause(scope: Scope, name: str, paused: bool, deed: Deed | None) -> Steps[Rule]:
    """Change whether it is paused. To be driven in a transaction."""
    rule = yield from _changing(scope, name)
    return (yield from _put(rule, msgspec.structs.replace(rule, paused=paused), deed))


def limit(scope: Scope, name: str, limit: Limit, deed: Deed | None) -> Steps[Rule]:
    """Change its limit. To be driven in a transaction."""
    rule = yield from _changing(scope, name)
    return (yield from _put(rule, msgspec.structs.replace(rule, limit=limit), deed))


def _changing(scope: Scope, name: str) -> Steps[Rule]:
    """A rule as it is, which nobody else changes meanwhile."""
    yield Ask("next_edition")
    found = [rule for rule in (yield from read(Rules())) if (rule.scope, rule.name) == (scope, name)]
    return found[0] if found else Rule(scope, name)


def _put(before: Rule, rule: Rule, deed: Deed | None) -> Steps[Rule]:
    scope, limit = rule.scope.value, rule.limit
    if rule.says_nothing:
        yield Ask("drop_rule", (scope, rule.name))
    else:
        yield Ask("put_rule", (scope, rule.name, rule.paused, limit.concurrency, limit.rate, limit.burst))
    yield from note(deed if rule != before else None)
    return rule


# -- claims --------------------------------------------------------------------------------------


def using(known: Lanes, rules: Rules, lanes: Mapping[int, Lane], idle: int, now: int) -> Steps[Bounds | None]:
    """How much may be claimed of each of these lanes; nobody else claims under their limits in this transaction.

    None: one of the rules is not there any more.
    """
    wanted = limiting(rules.all, lanes)
    rows = yield Ask("lock_rules", names(wanted))
    if len(rows) < len(wanted):
        return None
    covered = [[number for number, lane in known.by_number.items() if rule.covers(lane)] for rule in wanted]
    counts = {row[0]: row[1] for row in (yield Ask("processing", (sorted({each for all in covered for each in all}),)))}
    uses = [
        Use(rule, Bucket(level, at), sum(counts.get(lane, 0) for lane in numbers))
        for rule, numbers, (_, _, level, at) in zip(wanted, covered, rows, strict=True)
    ]
    return Bounds(uses, lanes, idle, now)


def spend(bounds: Bounds, taken: Sequence[int]) -> Steps[None]:
    """Jobs of these lanes were claimed."""
    spent = bounds.spent(taken)
    if spent:
        buckets = [bucket for _, bucket in spent]
        yield Ask(
            "spend",
            (
                *names([rule for rule, _ in spent]),
                [bucket.level for bucket in buckets],
                [bucket.at for bucket in buckets],
            ),
        )


def names(rules: Sequence[Rule]) -> tuple[list[str], list[str]]:
    """Scopes and names, as parameters."""
    return [rule.scope.value for rule in rules], [rule.name for rule in rules]
