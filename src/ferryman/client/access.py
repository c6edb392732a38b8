"""What a person may say about API keys: add, look, rotate, revoke."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ferryman.client.deeds import Deeds
from ferryman.domain import access, options
from ferryman.domain.access import ApiKey, Entropy, Issued, digest_of, text_of
from ferryman.domain.audit import Action
from ferryman.domain.errors import ApiKeyNotFound, ApiKeyTaken, BadOption
from ferryman.domain.job import MICROS
from ferryman.store.access import Added
from ferryman.store.protocol import Clock, Store

GRACE: Final = 3600.0
"""Seconds for which a key goes on to open once another one follows it."""


class ApiKeys:
    """The verbs; a part of a client. Every error is one of `ferryman.errors`."""

    def __init__(self, store: Store, clock: Clock, deeds: Deeds, entropy: Entropy = secrets.token_bytes) -> None:
        self._store = store
        self._clock = clock
        self._deeds = deeds
        self._entropy = entropy

    def now(self) -> int:
        """The store's time, by which keys live or have ended; in microseconds."""
        return self._clock.now()

    async def list(self) -> Sequence[ApiKey]:
        """Every key, also those that have ended, by name."""
        return await self._store.api_keys()

    async def taken(self) -> Mapping[str, int]:
        """How many jobs were taken from quotas today, by the names of the keys."""
        return await self._store.quotas_taken(self._clock.now())

    async def add(
        self,
        name: str,
        scopes: Iterable[object],
        *,
        queues: Iterable[object] | None = None,
        rate: object = None,
        burst: int | None = None,
        quota: int | None = None,
        expires_at: int | None = None,
        by: str | None = None,
    ) -> Issued:
        """Make a key, whose text nobody can be told again.

        Args:
            name: who it is for.
            scopes: what it may do, see `domain.access.Right`.
            queues: to which it is limited; None is all.
            rate: requests that one process answers, a second or as a text such as "100/s"; None is no bound.
            burst: how many more there may be at once; by default as many as come in a second.
            quota: jobs that it may enqueue in a day by UTC, in all processes together; None is no bound.
            expires_at: in microseconds; None is never.
            by: who adds it, for the audit log.

        Raises:
            BadOption: one of them is not allowed.
            ApiKeyTaken: a key of this name lives.
        """
        now = self._clock.now()
        per_second = None if rate is None else options.rate(rate)
        template = ApiKey(
            id="",
            name=access.name(name),
            digest="",
            rights=access.rights(scopes),
            queues=None if queues is None else access.queues(queues),
            rate=per_second,
            burst=access.burst(burst, per_second),
            quota=None if quota is None else options.count("quota", quota),
            created_at=now,
            expires_at=None if expires_at is None else _expiry(expires_at, now),
        )
        issued = self._issue(template)
        added = await self._deeds.do(
            lambda deed: self._store.add_api_key(issued.key, now, deed=deed),
            Action.API_KEY_ADD,
            name,
            by,
            **_detail(issued.key),
        )
        if added is Added.TAKEN:
            raise ApiKeyTaken(
                f"There is an API key {name} already.",
                hint=f"`ferryman api-keys rotate {name}` has another one follow it; or take another name.",
            )
        return issued

    async def rotate(self, name: str, grace: float = GRACE, *, by: str | None = None) -> Issued:
        """Make a key that opens what the one of this name does, which ends `grace` seconds from now.

        It lives for as long as that one was to.

        Raises:
            BadOption: the grace is not allowed.
            ApiKeyNotFound: no key of this name lives.
            ApiKeyTaken: two of them do already.
        """
        now = self._clock.now()
        until = now + round(options.seconds_of("grace", grace) * MICROS)
        living = await self._living(name, now)
        before = living[-1]
        span = None if before.expires_at is None else before.expires_at - before.created_at
        expires_at = None if span is None else now + span
        issued = self._issue(replace(before, created_at=now, expires_at=expires_at, last_used_at=None))
        added = await self._deeds.do(
            lambda deed: self._store.add_api_key(issued.key, now, until=until, deed=deed),
            Action.API_KEY_ROTATE,
            name,
            by,
        )
        if added is Added.ALONE:
            raise _not_found(name)
        if added is Added.CROWDED:
            raise ApiKeyTaken(
                f"Two API keys {name} live already.",
                why="It was rotated before, and the grace of the older one is not over.",
                hint=f"Wait for that, or end it now: `ferryman api-keys revoke {name} --id {living[0].id}`.",
            )
        return issued

    async def revoke(self, name: str, id: str | None = None, *, forget: bool = False, by: str | None = None) -> int:
        """End the keys of a name, or the one of them that has this id. Returns how many lived.

        Args:
            name: whose.
            id: of which.
            forget: drop them, too, and those of the name that had ended: a store without any key is open again.

        Raises:
            ApiKeyNotFound: there is none; or, unless it is to be forgotten, none that lives.
        """
        now = self._clock.now()
        known = [key for key in await self.list() if key.name == name and id in (None, key.id)]
        found = known if forget else [key for key in known if key.lives(now)]
        if not found:
            raise _not_found(name)
        ids = [key.id for key in found]
        count = await self._deeds.do(
            lambda deed: self._store.end_api_keys(ids, now, deed=deed), Action.API_KEY_REVOKE, name, by
        )
        if forget:
            await self._deeds.do(lambda deed: self._store.drop_api_keys(ids, deed=deed), Action.API_KEY_DROP, name, by)
        return count

    def _issue(self, template: ApiKey) -> Issued:
        minted = access.mint(self._entropy)
        key = replace(template, id=minted.id, digest=digest_of(minted.secret.reveal()))
        return Issued(key, text_of(minted))

    async def _living(self, name: str, now: int) -> Sequence[ApiKey]:
        """The keys of a name that live, the youngest last. Raises ApiKeyNotFound."""
        found = [key for key in await self.list() if key.name == name and key.lives(now)]
        if not found:
            raise _not_found(name)
        return found


def _detail(key: ApiKey) -> dict[str, object]:
    """What the audit log says of a new key: what it opens, and nothing of what opens it."""
    return {"scopes": list(key.rights), "queues": None if key.queues is None else list(key.queues)}


def _expiry(value: int, now: int) -> int:
    if value <= now:
        raise BadOption("expires_at is past.", why="The key would open nothing.")
    return options.moment("expires_at", value, now)


def _not_found(name: str) -> ApiKeyNotFound:
    return ApiKeyNotFound(f"There is no API key {name[:128]!a}.", hint="`ferryman api-keys ls` lists them.")
