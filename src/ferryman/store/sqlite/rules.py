"""Rules for queues and types: what people set, and what a claim asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.job import Lane
from ferryman.domain.limits import Bounds, Bucket, Limit, Rule, Scope, Use, limiting
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.session import Session, encode

# -- people --------------------------------------------------------------------------------------


def all_rules(session: Session) -> Sequence[Rule]:
    """Those that say something."""
    session.lanes()
    return session.rules()


def pause(session: Session, scope: Scope, name: str, paused: bool, deed: Deed | None) -> Rule:
    """Change whether it is paused."""
    before = _rule(session, scope, name)
    return _put(session, before, msgspec.structs.replace(before, paused=paused), deed)


def limit(session: Session, scope: Scope, name: str, limit: Limit, deed: Deed | None) -> Rule:
    """Change its limit."""
    before = _rule(session, scope, name)
    return _put(session, before, msgspec.structs.replace(before, limit=limit), deed)


def _rule(session: Session, scope: Scope, name: str) -> Rule:
    found = [rule for rule in all_rules(session) if (rule.scope, rule.name) == (scope, name)]
    return found[0] if found else Rule(scope, name)


def _put(session: Session, before: Rule, rule: Rule, deed: Deed | None) -> Rule:
    if rule.says_nothing:
        session.run("drop_rule", scope=rule.scope.value, name=rule.name)
    else:
        session.run(
            "put_rule",
            scope=rule.scope.value,
            name=rule.name,
            paused=rule.paused,
            concurrency=rule.limit.concurrency,
            rate=rule.limit.rate,
            burst=rule.limit.burst,
        )
    session.run("next_edition")
    note(session, deed if rule != before else None)
    return rule


# -- claims --------------------------------------------------------------------------------------


def using(session: Session, lanes: Mapping[int, Lane], idle: int, now: int) -> Bounds:
    """How much may be claimed of each of these lanes."""
    return Bounds([use_of(session, rule) for rule in limiting(session.rules(), lanes)], lanes, idle, now)


def covered(session: Session, rule: Rule) -> list[int]:
    """The lanes for which it holds."""
    return [number for number, lane in session.known.by_number.items() if rule.covers(lane)]


def use_of(session: Session, rule: Rule) -> Use:
    """What has been used of a rule."""
    lanes = covered(session, rule)
    row = session.one("rule_use", scope=rule.scope.value, name=rule.name, lanes=encode(lanes).decode())
    assert row is not None
    level, at, stored = row
    own = sum(session.tallies[lane, "processing"] for lane in lanes)  # counted in this transaction, not yet stored
    return Use(rule, Bucket(level, at), stored + own)


def spend(session: Session, bounds: Bounds, taken: Sequence[int]) -> None:
    """Jobs of these lanes were claimed."""
    for rule, bucket in bounds.spent(taken):
        session.run("spend", scope=rule.scope.value, name=rule.name, level=bucket.level, at=bucket.at)
