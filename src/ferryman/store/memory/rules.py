"""The rules of a memory store, and what is left of their buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

import msgspec

from ferryman.domain.job import Lane
from ferryman.domain.limits import Bounds, Bucket, Limit, Rule, Scope, Use, limiting, open_lanes
from ferryman.store.explaining import HOLDERS_SHOWN, Held
from ferryman.store.memory.tables import Tables


class RuleRow(msgspec.Struct):
    """A rule and the bucket of its rate."""

    rule: Rule
    bucket: Bucket = Bucket()


class Rules:
    """What people set, and what a claim asks of it."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows: dict[tuple[Scope, str], RuleRow] = {}

    # -- people ----------------------------------------------------------------------------------

    def all(self) -> Sequence[Rule]:
        """Those that say something."""
        return sorted((row.rule for row in self._rows.values()), key=attrgetter("scope", "name"))

    def pause(self, scope: Scope, name: str, paused: bool) -> Rule:
        """Change whether it is paused."""
        return self._put(msgspec.structs.replace(self.get(scope, name), paused=paused))

    def limit(self, scope: Scope, name: str, limit: Limit) -> Rule:
        """Change its limit."""
        return self._put(msgspec.structs.replace(self.get(scope, name), limit=limit))

    def get(self, scope: Scope, name: str) -> Rule:
        """What holds for a queue or type."""
        row = self._rows.get((scope, name))
        return Rule(scope, name) if row is None else row.rule

    def _put(self, rule: Rule) -> Rule:
        key = (rule.scope, rule.name)
        if rule.says_nothing:
            self._rows.pop(key, None)
        else:
            self._rows.setdefault(key, RuleRow(rule)).rule = rule
        return rule

    # -- claims ----------------------------------------------------------------------------------

    def open(self, lanes: Mapping[int, Lane]) -> Mapping[int, Lane]:
        """Those of the lanes that are not paused."""
        return open_lanes(self.all(), lanes)

    def bounds(self, lanes: Mapping[int, Lane], idle: int, now: int) -> Bounds:
        """How much may be claimed of each of these lanes."""
        return Bounds([self._use(rule) for rule in limiting(self.all(), lanes)], lanes, idle, now)

    def holdings(self, lane: Lane) -> list[Held]:
        """The limits that the jobs of a lane are under, and who holds them."""
        return [Held(self._use(rule), self._holders(rule)[:HOLDERS_SHOWN]) for rule in limiting(self.all(), {1: lane})]

    def spend(self, bounds: Bounds, taken: Sequence[int]) -> None:
        """Jobs of these lanes were claimed."""
        for rule, bucket in bounds.spent(taken):
            self._row(rule).bucket = bucket

    def _row(self, rule: Rule) -> RuleRow:
        return self._rows[rule.scope, rule.name]

    def _use(self, rule: Rule) -> Use:
        return Use(rule, self._row(rule).bucket, len(self._holders(rule)))

    def _holders(self, rule: Rule) -> list[str]:
        """The jobs that are processing, the oldest claim first."""
        claims = sorted(self._tables.claims.values(), key=attrgetter("claimed_at"))
        runs = [id for claim in claims for id in sorted(claim.runs)]
        return [id for id in runs if rule.covers(self._tables.jobs[id].job.lane)]
