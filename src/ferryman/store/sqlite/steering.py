"""The verbs by which people steer what runs when: places, rules, schedules, keys. And who may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ferryman.domain.access import ApiKey
from ferryman.domain.audit import Deed
from ferryman.domain.errors import StoreClosed
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.schedule import Firing, Schedule
from ferryman.domain.state import Status
from ferryman.store.access import Added
from ferryman.store.auditing import AuditFilter, Entry
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.explaining import Whereabouts
from ferryman.store.gating import Admitted, KeyStatus
from ferryman.store.protocol import Retention
from ferryman.store.scheduling import Fired, KeptSchedule, Put, Tick
from ferryman.store.sqlite import access, auditing, chores, controls, explaining, keys, reading, rules, scheduling
from ferryman.store.sqlite.reader import Reader
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.writer import Writer
from ferryman.store.watching import Version, check_version

Result = TypeVar("Result")


class Steering:
    """A part of `SqliteStore`: it asks the store's writer and its reader, as every verb does."""

    _retention: Retention
    _writer: Writer | None
    _reader: Reader | None

    async def _write(self, request: Callable[[Session], Result]) -> Result:
        if self._writer is None:
            raise StoreClosed("The store is closed.", hint="Open it before use.")
        return await self._writer.do(request)

    async def _read(self, request: Callable[[Session], Result]) -> Result:
        if self._reader is None:
            raise StoreClosed("The store is closed.", hint="Open it before use.")
        return await self._reader.do(request)

    async def _write_where(
        self, ids: Sequence[str], now: int, expected: Version | None, request: Callable[[Session], Result]
    ) -> Result:
        """Write, if each of these jobs has the expected version. Nobody else can write in between."""

        def step(session: Session) -> Result:
            if expected is not None:
                found = reading.versions(session, ids, now, self._retention)
                for id in ids:
                    check_version(id, expected, found.get(id))
            return request(session)

        return await self._write(step)

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        """See `Controlling.place`."""
        return await self._write_where(
            ids, now, expected, lambda session: controls.place(session, ids, placement, now, self._retention, deed)
        )

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """See `Controlling.cancel_waiting`."""
        return await self._write(lambda session: controls.cancel_those_that_wait(session, ids, now, deed))

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        """See `Controlling.delete`."""
        return await self._write_where(
            [id], now, expected, lambda session: chores.delete(session, id, now, self._retention, deed)
        )

    async def rules(self) -> Sequence[Rule]:
        """See `Ruling.rules`."""
        return await self._read(rules.all_rules)

    async def pause(self, scope: Scope, name: str, paused: bool, *, deed: Deed | None = None) -> Rule:
        """See `Ruling.pause`."""
        return await self._write(lambda session: rules.pause(session, scope, name, paused, deed))

    async def limit(self, scope: Scope, name: str, limit: Limit, *, deed: Deed | None = None) -> Rule:
        """See `Ruling.limit`."""
        return await self._write(lambda session: rules.limit(session, scope, name, limit, deed))

    async def whereabouts(self, id: str) -> Whereabouts | None:
        """See `Explaining.whereabouts`."""
        return await self._read(lambda session: explaining.whereabouts(session, id))

    async def put_schedule(
        self, schedule: Schedule, now: int, *, declared: bool = False, deed: Deed | None = None
    ) -> Put:
        """See `Scheduling.put_schedule`."""
        return await self._write(lambda session: scheduling.put(session, schedule, now, declared=declared, deed=deed))

    async def undeclare_schedule(self, name: str) -> None:
        """See `Scheduling.undeclare_schedule`."""
        await self._write(lambda session: scheduling.undeclare(session, name))

    async def drop_schedule(self, name: str, *, deed: Deed | None = None) -> bool:
        """See `Scheduling.drop_schedule`."""
        return await self._write(lambda session: scheduling.drop(session, name, deed))

    async def pause_schedule(self, name: str, paused: bool, now: int, *, deed: Deed | None = None) -> bool:
        """See `Scheduling.pause_schedule`."""
        return await self._write(lambda session: scheduling.pause(session, name, paused, now, deed))

    async def schedules(self) -> Sequence[KeptSchedule]:
        """See `Scheduling.schedules`."""
        return await self._read(scheduling.schedules)

    async def ticks(self, name: str, limit: int) -> Sequence[Tick]:
        """See `Scheduling.ticks`."""
        return await self._read(lambda session: scheduling.ticks(session, name, limit))

    async def fire(self, firing: Firing, now: int) -> Fired | None:
        """See `Scheduling.fire`."""
        return await self._write(lambda session: scheduling.fire(session, firing, now))

    async def admit(self, now: int, limit: int) -> Admitted:
        """See `Gating.admit`. Writes only if a token is there by now."""
        due = await self._read(keys.next_due)
        if due is None or due > now:
            return Admitted(0, due)
        return await self._write(lambda session: keys.admit(session, now, limit))

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        """See `Gating.keys`."""
        return await self._read(lambda session: keys.keys(session, after, limit))

    async def key(self, key: str) -> KeyStatus | None:
        """See `Gating.key`."""
        return await self._read(lambda session: keys.key(session, key))

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        """See `Gating.set_key`."""
        await self._write(lambda session: keys.set_key(session, key, rule, now, deed))

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        """See `Gating.pause_key`."""
        await self._write(lambda session: keys.pause_key(session, key, paused, now, deed))

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """See `Gating.pass_key`."""
        return await self._write(lambda session: keys.pass_key(session, key, now, deed))

    async def api_keys(self) -> Sequence[ApiKey]:
        """See `Access.api_keys`."""
        return await self._read(access.keys)

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        """See `Access.add_api_key`."""
        return await self._write(lambda session: access.add(session, key, now, until, deed))

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        """See `Access.end_api_keys`."""
        return await self._write(lambda session: access.end(session, ids, now, deed))

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        """See `Access.drop_api_keys`."""
        return await self._write(lambda session: access.drop(session, ids, deed))

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        """See `Access.use_api_keys`."""
        await self._write(lambda session: access.use(session, used))

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        """See `Access.take_quota`."""
        return await self._write(lambda session: access.take(session, name, quota, least, most, now))

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        """See `Access.quotas_taken`."""
        return await self._read(lambda session: access.taken(session, now))

    async def audit(self, filter: AuditFilter, after: int | None, limit: int) -> Sequence[Entry]:
        """See `Auditing.audit`."""
        return await self._read(lambda session: auditing.page(session, filter, after, limit))
