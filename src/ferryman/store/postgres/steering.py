"""The verbs by which people steer what runs when: places, rules, schedules, keys. And who may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferryman.domain.access import ApiKey
from ferryman.domain.audit import Deed
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.schedule import Firing, Schedule
from ferryman.domain.state import Status
from ferryman.store.access import Added
from ferryman.store.auditing import AuditFilter, Entry
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.explaining import Whereabouts
from ferryman.store.gating import LAST, Admitted, KeyStatus, keys_in
from ferryman.store.postgres import access, auditing, controls, explaining, keys, lanes, rules, scheduling
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.flow import Flow
from ferryman.store.postgres.gating import Gates
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.lines import Lines
from ferryman.store.postgres.rules import Rules
from ferryman.store.protocol import Retention
from ferryman.store.scheduling import Fired, KeptSchedule, Put, Tick
from ferryman.store.watching import Version


class Steering:
    """A part of `PostgresStore`: it works with the store's lines and with what the store knows."""

    _retention: Retention
    _lines: Lines
    _people: Line
    _chores: Line
    _lanes: Lanes
    _rules: Rules
    _gates: Gates
    _flow: Flow

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        """See `Controlling.place`. New lanes are made before, so that nobody waits for one."""
        while True:
            steps = controls.place(self._lanes, ids, placement, now, self._retention, deed, expected)
            try:
                return await self._people.transact(steps)
            except controls.LanesMissing as error:
                await self._people.do(lanes.make(self._lanes, error.wanted))

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """See `Controlling.cancel_waiting`."""
        await self._people.do(lanes.read(self._lanes))
        ended, keys = await self._people.transact(controls.cancel_those_that_wait(self._lanes, ids, now, deed))
        await self._gates.made_room(keys, now, over=self._people)
        return ended

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        """See `Controlling.delete`."""
        deleted, keys = await self._people.transact(controls.delete(id, now, self._retention, deed, expected))
        await self._gates.made_room(keys, now, over=self._people)
        return deleted

    async def rules(self) -> Sequence[Rule]:
        """See `Ruling.rules`."""
        return await self._people.do(rules.read(self._rules))

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        """See `Ruling.pause`."""
        return await self._people.transact(rules.pause(scope, name, paused, deed))

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        """See `Ruling.limit`."""
        return await self._people.transact(rules.limit(scope, name, limit, deed))

    async def whereabouts(self, id: str) -> Whereabouts | None:
        """See `Explaining.whereabouts`."""
        return await self._people.read(explaining.whereabouts(id))

    async def put_schedule(
        self, schedule: Schedule, now: int, *, declared: bool = False, deed: Deed | None = None
    ) -> Put:
        """See `Scheduling.put_schedule`."""
        return await self._people.transact(scheduling.put(schedule, now, declared=declared, deed=deed))

    async def undeclare_schedule(self, name: str) -> None:
        """See `Scheduling.undeclare_schedule`."""
        await self._people.transact(scheduling.undeclare(name))

    async def drop_schedule(self, name: str, *, deed: Deed | None = None) -> bool:
        """See `Scheduling.drop_schedule`."""
        return await self._people.transact(scheduling.drop(name, deed))

    async def pause_schedule(self, name: str, paused: bool, now: int, *, deed: Deed | None = None) -> bool:
        """See `Scheduling.pause_schedule`."""
        return await self._people.transact(scheduling.pause(name, paused, now, deed))

    async def schedules(self) -> Sequence[KeptSchedule]:
        """See `Scheduling.schedules`."""
        return await self._chores.do(scheduling.schedules())

    async def ticks(self, name: str, limit: int) -> Sequence[Tick]:
        """See `Scheduling.ticks`."""
        return await self._people.do(scheduling.ticks(name, limit))

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        """See `Scheduling.fire`. Somebody's open transaction that has a unique key is not waited for long."""
        fired = await self._flow.fire(firing, now)
        await self._gates.let_in(keys_in(firing.jobs), now, over=self._lines.inserts)
        return fired

    async def admit(self, now: int, limit: int) -> Admitted:
        """See `Gating.admit`."""
        return await self._gates.admit(now, limit)

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        """See `Gating.keys`."""
        return await self._people.do(keys.page("", LAST, after or "", limit))

    async def key(self, key: str) -> KeyStatus | None:
        """See `Gating.key`."""
        return next(iter(await self._people.do(keys.page(key, key, "", 1))), None)

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        """See `Gating.set_key`."""
        await self._gates.change(key, keys.ruled(rule, now), now, deed)

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        """See `Gating.pause_key`."""
        await self._gates.change(key, keys.paused(paused), now, deed)

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """See `Gating.pass_key`."""
        passed = await self._people.transact(keys.pass_key(key, deed))
        if passed:
            await self._gates.let_in([key], now, over=self._people)
        return passed

    async def api_keys(self) -> Sequence[ApiKey]:
        """See `Access.api_keys`."""
        return await self._people.do(access.keys())

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        """See `Access.add_api_key`."""
        return await self._people.transact(access.add(key, now, until, deed))

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        """See `Access.end_api_keys`."""
        return await self._people.transact(access.end(ids, now, deed))

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        """See `Access.drop_api_keys`."""
        return await self._people.transact(access.drop(ids, deed))

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        """See `Access.use_api_keys`."""
        await self._people.do(access.use(used))

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        """See `Access.take_quota`."""
        return await self._people.transact(access.take(name, quota, least, most, now))

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        """See `Access.quotas_taken`."""
        return await self._people.do(access.taken(now))

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        """See `Auditing.audit`."""
        return await self._people.do(auditing.page(filter, after, limit))
