"""The API keys of a database. What changes them is driven in a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferryman.domain.access import ApiKey, day_of
from ferryman.domain.audit import Deed
from ferryman.store.access import Added, Taken, after_add, columns_of, key_of
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.steps import Ask, Steps


def keys() -> Steps[list[ApiKey]]:
    """Every key."""
    return [key_of(row) for row in (yield Ask("api_keys"))]


def add(key: ApiKey, now: int, until: int | None, deed: Deed | None) -> Steps[Added]:
    """Write the rows of the name as they are after it. Whoever adds one meanwhile, of whatever name, waits."""
    yield Ask("lock_api_keys")
    kept = [each for each in (yield from keys()) if each.name == key.name]
    added, after = after_add(kept, key, now, until)
    yield from note(deed if after != kept else None)
    yield from drop([each.id for each in kept if each not in after], None)
    for each in after:
        if each not in kept:
            yield Ask("put_api_key", columns_of(each))
    return added


def end(ids: Sequence[str], now: int, deed: Deed | None) -> Steps[int]:
    """Have keys expire; gives how many lived."""
    count = len((yield Ask("end_api_keys", (list(ids), now))))
    yield from note(deed if count else None)
    return count


def drop(ids: Sequence[str], deed: Deed | None) -> Steps[int]:
    """Delete keys; gives how many there were."""
    count = len((yield Ask("drop_api_keys", (list(ids),))))
    yield from note(deed if count else None)
    return count


def use(used: Mapping[str, int]) -> Steps[None]:
    """Write the later one of two times."""
    yield Ask("use_api_keys", (list(used), list(used.values())))


def take(name: str, quota: int, least: int, most: int, now: int) -> Steps[int]:
    """Write what is taken of a quota thereafter; gives how many that is more."""
    [row] = yield Ask("lock_quota", (name,))
    before = Taken(*row)
    after = before.after(day_of(now), quota, least, most)
    if after != before:
        yield Ask("put_quota", (name, after.day, after.jobs))
    return after.more_than(before)


def taken(now: int) -> Steps[dict[str, int]]:
    """How many were taken on a day, by name."""
    rows = yield Ask("quotas", (day_of(now),))
    return {row[0]: row[1] for row in rows}
