"""The API keys of a memory store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from msgspec.structs import replace

from ferryman.domain.access import ApiKey, day_of
from ferryman.domain.audit import Deed
from ferryman.store.access import NONE_TAKEN, Added, after_add, ended
from ferryman.store.memory.auditing import Auditing
from ferryman.store.memory.tables import Tables


class ApiKeys(Auditing):
    """See `Access`."""

    _tables: Tables

    async def api_keys(self) -> Sequence[ApiKey]:
        """Every row."""
        return sorted(self._tables.api_keys.values(), key=attrgetter("name", "created_at", "id"))

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        """Write the rows of the name as they are after it."""
        rows = self._tables.api_keys
        kept = [each for each in rows.values() if each.name == key.name]
        added, after = after_add(kept, key, now, until)
        self._note(deed if after != kept else None)
        for each in kept:
            del rows[each.id]
        rows.update({each.id: each for each in after})
        return added

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        """Write the rows of those that live."""
        living = [key for key in self._known(ids) if key.lives(now)]
        self._tables.api_keys.update({key.id: ended(key, now) for key in living})
        self._note(deed if living else None)
        return len(living)

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        """Delete the rows."""
        known = self._known(ids)
        for key in known:
            del self._tables.api_keys[key.id]
        self._note(deed if known else None)
        return len(known)

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        """Write the later one of two times."""
        for key in self._known(list(used)):
            last = max(used[key.id], key.last_used_at or 0)
            self._tables.api_keys[key.id] = replace(key, last_used_at=last)

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        """Write what is taken thereafter."""
        before = self._tables.quotas.get(name, NONE_TAKEN)
        after = self._tables.quotas[name] = before.after(day_of(now), quota, least, most)
        return after.more_than(before)

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        """Every row of the day."""
        today = [(name, taken) for name, taken in self._tables.quotas.items() if taken.day == day_of(now)]
        return {name: taken.jobs for name, taken in today if taken.jobs}

    def _known(self, ids: Sequence[str]) -> list[ApiKey]:
        return [self._tables.api_keys[id] for id in dict.fromkeys(ids) if id in self._tables.api_keys]
