"""What people say of the queues and types of a memory store."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.domain.audit import Deed
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.store.memory.auditing import Auditing
from ferryman.store.memory.rules import Rules


class Ruling(Auditing):
    """See `store.ruling`."""

    _rules: Rules

    async def rules(self) -> Sequence[Rule]:
        """Rules, as people set them."""
        return self._rules.all()

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        """Change whether a queue or type is paused."""
        before, rule = self._rules.get(scope, name), self._rules.pause(scope, name, paused)
        self._note(deed if rule != before else None)
        return rule

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        """Change the limit of a queue or type."""
        before, rule = self._rules.get(scope, name), self._rules.limit(scope, name, limit)
        self._note(deed if rule != before else None)
        return rule
