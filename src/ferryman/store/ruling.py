"""The verbs for rules: what holds for all jobs of a queue or a type, whoever claims them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ferryman.domain.audit import Deed
from ferryman.domain.limits import Limit, Rule, Scope


class Ruling(Protocol):
    """A part of `Store`. Every claim that is made once a verb has returned obeys what it said."""

    async def rules(self) -> Sequence[Rule]:
        """Every rule that says something, by scope and name."""
        ...

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        """Let nobody claim jobs of a queue or type, or let them again; those that run go on. Returns what holds now."""
        ...

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        """Bound how much of a queue or type may be claimed; `Limit()` ends that. Returns what holds now.

        What is spent of a rate stays spent. More jobs than a new `concurrency` may be processing already: none is
        claimed until they are fewer.
        """
        ...
