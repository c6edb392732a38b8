"""What is known of types that this process does not declare: what nodes have registered, as the store told it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from ferryman.client.request import Catalogue, JobType
from ferryman.domain import options
from ferryman.domain.errors import EnqueueError, UnknownType
from ferryman.domain.job import LEFT_OUT, Job
from ferryman.domain.secrets import mask
from ferryman.domain.suggest import did_you_mean
from ferryman.store.protocol import Clock, Declaration, Store

KEPT: Final = 10.0
"""Seconds for which an answer of the store holds. After a redeploy, those who enqueue notice it so soon."""
_NEVER: Final = float("-inf")


class KnownTypes:
    """The store's last answer. For any thread: an answer is put in place as a whole."""

    def __init__(self, catalogue: Catalogue, clock: Clock, *, accept_unknown_types: bool) -> None:
        """`catalogue` are the types that this process declares; the rest is as for `Client`."""
        self._catalogue = catalogue
        self._clock = clock
        self._accept = accept_unknown_types
        self._told: tuple[Mapping[str, Declaration], float] = ({}, _NEVER)

    def lacks(self, types: Iterable[str]) -> bool:
        """Whether the store is to be asked: the answer is old, or would have one of these types refused."""
        told, until = self._told
        return self._clock.monotonic() >= until or not (self._accept or all(type in told for type in types))

    def learn(self, told: Mapping[str, Declaration]) -> None:
        """Take an answer of the store; it is kept for a while."""
        self._told = (told, self._clock.monotonic() + KEPT)

    def get(self, type: str) -> Declaration:
        """What the latest node declared of a type; Ferryman's defaults if none is known."""
        return self._told[0].get(type) or Declaration()

    def expect(self, type: str, what: str, hint: str) -> None:
        """Refuse a type that no node has registered, unless such are accepted. Raises UnknownType, with these texts."""
        told, _ = self._told
        if type not in told and not self._accept:
            raise UnknownType(what, why=did_you_mean(type, self._catalogue.types | told.keys()), hint=hint)


class Asking:
    """Asks the store for its answer when it is needed. It lives on the loop of its client."""

    def __init__(self, store: Store, catalogue: Catalogue, known: KnownTypes) -> None:
        """`known` takes the answers."""
        self._store = store
        self._catalogue = catalogue
        self._known = known
        self._one = asyncio.Lock()
        """Many who need an answer at the same time ask once."""

    async def expect(self, type: str) -> None:
        """See to it that what a type declares is known. Raises UnknownType: nobody here or on this store ever did."""
        if self._catalogue.get(type) is not None:
            return
        options.type_name(type)
        await self._ask([type])
        self._expect(type)

    async def strangers(self, types: Collection[str]) -> Mapping[str, EnqueueError]:
        """Those of many types that `expect` would refuse, each with the error; the store is asked once at most."""
        foreign = [type for type in types if self._catalogue.get(type) is None]
        if foreign:
            await self._ask(foreign)
        found: dict[str, EnqueueError] = {}
        for type in foreign:
            try:
                self._expect(options.type_name(type))
            except EnqueueError as error:
                found[type] = error
        return found

    def _expect(self, type: str) -> None:
        self._known.expect(
            type,
            f"No node has ever registered the type {type}.",
            "Start a node that has its handler, or set ACCEPT_UNKNOWN_TYPES.",
        )

    def get(self, type: str) -> JobType | Declaration:
        """What this process declares of a type, else the latest node; see `expect`."""
        return self._catalogue.get(type) or self._known.get(type)

    async def shown(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Each job with `***` for its secrets."""
        secrets = await self.secrets({job.type for job in jobs})
        return [_without(job, secrets[job.type]) for job in jobs]

    async def secrets(self, types: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The members of each type's payloads that are not to be shown."""
        foreign = [type for type in types if self._catalogue.get(type) is None]
        if foreign:
            await self._ask(foreign)
        return {type: self.get(type).secrets for type in types}

    async def all_secrets(self) -> Mapping[str, frozenset[str]]:
        """Those of every type that has some. The store is asked anew: somebody may just have declared one."""
        told = await self._store.known_types()
        self._known.learn(told)
        found = {type: self.get(type).secrets for type in told.keys() | self._catalogue.types}
        return {type: secrets for type, secrets in found.items() if secrets}

    async def _ask(self, types: Sequence[str]) -> None:
        if self._known.lacks(types):
            async with self._one:
                if self._known.lacks(types):
                    self._known.learn(await self._store.known_types())


def _without(job: Job, secrets: frozenset[str]) -> Job:
    if not secrets or job.payload == LEFT_OUT:
        return job
    return msgspec.structs.replace(job, payload=mask(job.payload, secrets))
