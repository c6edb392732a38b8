"""API keys in a store: its verbs for them, and what each of these makes of the keys of a name.

A key that has ended stays until another one of its name is added, or until somebody drops it: so a store whose last
key was revoked is not open to everybody again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from ferryman.domain.access import LIVE_MOST, ApiKey, Right
from ferryman.domain.audit import Deed


class Added(StrEnum):
    """What became of a key that was to be added."""

    ADDED = "added"
    TAKEN = "taken"
    """A key of its name lives."""
    ALONE = "alone"
    """It was to follow another one, and none of its name lives."""
    CROWDED = "crowded"
    """As many of its name live as may."""


class Access(Protocol):
    """What a store does for API keys; a part of `Store`."""

    async def api_keys(self) -> Sequence[ApiKey]:
        """Every key, also those that have ended, by name and by when they were made."""
        ...

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        """Keep a new key; unless it is ADDED, nothing was changed.

        It is the only one of its name that lives. With `until` it follows the one that lives, which ends by that
        time at the latest. Those of its name that have ended are forgotten. A key that is there already is ADDED.
        """
        ...

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        """Have keys expire now. Returns how many of them lived."""
        ...

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        """Forget keys. Returns how many there were."""
        ...

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        """Note when keys (id -> time) were used last. An earlier time changes nothing."""
        ...

    async def take_quota(self, name: str, quota: int, least: int, most: int, now: int) -> int:
        """Take jobs from the quota that the keys of a name have for the day of `now`; it is durable by then.

        Returns:
            How many were taken: `most`, or as many as were left, or none where fewer than `least` were. All that are
            taken for one name on one day are never more than the quota.
        """
        ...

    async def quotas_taken(self, now: int) -> Mapping[str, int]:
        """How many jobs were taken on the day of `now`, by name; without those who took none."""
        ...


# -- rows, where a store keeps texts and numbers -----------------------------------------------------

Columns = tuple[str, str, str, str, str | None, float | None, int, int, int | None, int | None, int | None]
"""id, name, digest, rights, queues, rate, burst, created_at, expires_at, last_used_at, quota"""


def columns_of(key: ApiKey) -> Columns:
    """A key as the columns of its row; rights and queues are joined by commas, which no name of one has."""
    return (
        key.id,
        key.name,
        key.digest,
        ",".join(key.rights),
        None if key.queues is None else ",".join(key.queues),
        key.rate,
        key.burst,
        key.created_at,
        key.expires_at,
        key.last_used_at,
        key.quota,
    )


def key_of(row: Sequence[Any]) -> ApiKey:
    """The key of a row."""
    id, name, digest, rights, queues, rate, burst, created_at, expires_at, last_used_at, quota = row
    return ApiKey(
        id=id,
        name=name,
        digest=digest,
        rights=tuple(map(Right, rights.split(","))),
        queues=None if queues is None else tuple(queues.split(",")),
        rate=rate,
        burst=burst,
        created_at=created_at,
        expires_at=expires_at,
        last_used_at=last_used_at,
        quota=quota,
    )


# -- quotas ------------------------------------------------------------------------------------------


class Taken(msgspec.Struct, frozen=True):
    """How many jobs the keys of a name have taken on one day; nobody looks back at a day before."""

    day: int
    jobs: int

    def after(self, day: int, quota: int, least: int, most: int) -> Taken:
        """What is taken once somebody has asked for more on that day."""
        jobs = self.jobs if day == self.day else 0
        left = quota - jobs
        if day < self.day or left < least:  # a clock that lags is not to open a day anew
            return self
        return Taken(day, jobs + min(left, most))

    def more_than(self, before: Taken) -> int:
        """How many were taken since."""
        return self.jobs - (before.jobs if before.day == self.day else 0)


NONE_TAKEN: Final = Taken(0, 0)


# -- what the verbs make of the keys of a name -------------------------------------------------------


def after_add(kept: Sequence[ApiKey], key: ApiKey, now: int, until: int | None) -> tuple[Added, Sequence[ApiKey]]:
    """What becomes of a new key, and the keys of its name thereafter. `kept` are those that there are."""
    if any(each.id == key.id for each in kept):
        return Added.ADDED, kept
    living = [each for each in kept if each.lives(now)]
    if until is None:
        return (Added.TAKEN, kept) if living else (Added.ADDED, [key])
    if not living:
        return Added.ALONE, kept
    if len(living) >= LIVE_MOST:
        return Added.CROWDED, kept
    return Added.ADDED, [*(ended(each, until) for each in living), key]


def ended(key: ApiKey, at: int) -> ApiKey:
    """The key, which ends at a time, or before if it would have."""
    return key if not key.lives(at) else msgspec.structs.replace(key, expires_at=at)
