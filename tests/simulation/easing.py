"""When faults have ended: what would keep jobs from coming to their end is taken back, as far as the plan says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from ferryman.domain.limits import Limit
from ferryman.store.protocol import KeyStatus, Store
from tests.simulation import gatekeeping, people
from tests.simulation.gatekeeping import is_at_rest, is_closed
from tests.simulation.plan import Plan
from tests.simulation.process import Process

FAST: Final = 3.0
"""Jobs in a second, at which all come to their end before everything settles."""
ALL: Final = 1000
"""More keys than there are."""


class Easing:
    """People who end schedules, rules and gates, in whatever process is there."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        somebody: Callable[[], Awaitable[Process]],
        within: Callable[[Process, Coroutine[Any, Any, Any]], Awaitable[Any]],
    ) -> None:
        """`store` is a connection that no fault befalls; `within` lets a process do something."""
        self._plan = plan
        self._store = store
        self._somebody = somebody
        self._within = within

    async def hush(self) -> None:
        """Have no schedule fire any more: else there would always be a job that has not ended."""
        for schedule in self._plan.schedules:
            for _ in range(4):
                process = await self._somebody()
                if await self._within(process, people.hush(process, schedule.name)):
                    break

    async def end_rules(self) -> None:
        """Those that there are; one that was asked for in bad weather may come still."""
        rules = [rule for rule in await self._store.rules() if rule.paused or not self._may_stay(rule.limit)]
        if rules:
            process = await self._somebody()
            await self._within(process, people.end_rules(process, rules))

    def _may_stay(self, limit: Limit) -> bool:
        return self._plan.limits_stay and (limit.rate is None or limit.rate >= FAST)

    async def open_gates(self) -> None:
        """The same for the gates of keys."""
        stays = self._plan.keys_stay
        keys = [key for key in await self._keys() if not is_at_rest(key, stays=stays)]
        if keys:
            process = await self._somebody()
            await self._within(process, gatekeeping.end(process, keys, stays=stays))

    async def kept_waiting(self) -> int:
        """How many jobs wait before gates that only a person opens."""
        return sum(key.waiting for key in await self._keys() if is_closed(key))

    async def _keys(self) -> list[KeyStatus]:
        """None where the plan has none: reading has its price, too."""
        return list(await self._store.keys(None, ALL)) if self._plan.gates else []
