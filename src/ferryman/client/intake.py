"""How jobs get in: a request is admitted, handed to the inserter, and answered with what the store made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.client.inserter import Inserter
from ferryman.client.known import Asking
from ferryman.client.making import admit, refusal
from ferryman.client.pausing import wait_within
from ferryman.client.pressure import Pressure
from ferryman.client.request import Accepted, Catalogue, JobRequest, check_standing
from ferryman.domain import options
from ferryman.domain.errors import FerrymanError, QueueForbidden, QueueFull
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.store.protocol import Clock, Receipt, Store, Verdict

ROOM_LOOK: Final = 0.25
"""Seconds between two tries to get into a full queue."""
_KEYED: Final = frozenset({Verdict.KEY_TAKEN, Verdict.KEY_REUSED})
"""Where another job has a key of the request, whose id the request did not have to know."""


class Intake:
    """Takes requests for jobs; a part of a client. Every error is one of `ferryman.errors`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: IdMinter,
        catalogue: Catalogue,
        types: Asking,
        inserter: Inserter,
        pressure: Pressure,
        max_body: int,
    ) -> None:
        """`catalogue` has the types of this process, `types` those of all nodes; `max_body` is as for the client."""
        self._store = store
        self._clock = clock
        self._ids = ids
        self._catalogue = catalogue
        self._types = types
        self._inserter = inserter
        self._pressure = pressure
        self._max_body = max_body

    async def enqueue(self, request: JobRequest, wait: float) -> Accepted:
        """Hand a job in, as `Client.enqueue` says."""
        await self._types.expect(request.type)
        new = self.admit(request)
        receipt = await self._inserter.submit(new)
        if wait and receipt.verdict is Verdict.FULL:
            receipt = await self._when_there_is_room(new, wait)
        return await self.accept(request, new, receipt)

    async def enqueue_chunk(self, requests: Sequence[JobRequest]) -> int:
        """Hand a few jobs in with one commit, as `Client.enqueue_chunk` says."""
        for each in {request.type for request in requests}:
            await self._types.expect(each)
        news = [self.admit(request) for request in requests]
        receipts = await self._inserter.write(news)
        for request, new, receipt in zip(requests, news, receipts, strict=True):
            if receipt.verdict is Verdict.INSERTED:
                continue
            error = await self.refusal(request, new, receipt)
            if error is not None:
                raise error
        return len(news)

    def admit(self, request: JobRequest) -> NewJob:
        """The job that a request asks for. Raises EnqueueError, QueueForbidden."""
        now = self._clock.now()
        minted = self._ids.mint(now) if request.id is None else options.job_id(request.id)
        declared = self._catalogue.get(request.type) or self._types.get(request.type)
        return admit(request, declared, minted, now, self._max_body)

    async def refusal(self, request: JobRequest, new: NewJob, receipt: Receipt) -> FerrymanError | None:
        """Why the store refused a request, if it did; or why its sender is not told of the job that has its key."""
        if request.within is not None and receipt.verdict in _KEYED:
            try:
                check_standing(request.within, await self._store.get(receipt.id, self._clock.now()))
            except QueueForbidden as hidden:
                return hidden
        error = refusal(request, receipt)
        if isinstance(error, QueueFull):
            error.retry_after = await self._pressure.retry_after(new.queue)
        return error

    async def accept(self, request: JobRequest, new: NewJob, receipt: Receipt) -> Accepted:
        """The answer to a request. Raises why it was refused."""
        # an id of ours that is there already was stored by an earlier try of this very call
        ours = receipt.verdict is Verdict.EXISTS and request.id is None
        if ours or receipt.verdict is Verdict.INSERTED:
            return Accepted(new)
        error = await self.refusal(request, new, receipt)
        if error is not None:
            raise error
        standing = await self._store.get(receipt.id, self._clock.now())
        check_standing(request.within, standing)
        if standing is None:  # its retention has passed, the key's has not: all that is left of it is its id
            new = msgspec.structs.replace(new, id=receipt.id)
        replayed = receipt.verdict is not Verdict.KEY_TAKEN
        return Accepted(new, standing, replayed=replayed, existed=not replayed)

    async def _when_there_is_room(self, new: NewJob, wait: float) -> Receipt:
        """Say it again until its queue has room, or so many seconds have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            await wait_within(loop.create_future(), min(ROOM_LOOK, deadline - loop.time()))
            receipt = await self._inserter.submit(new)
            if receipt.verdict is not Verdict.FULL or loop.time() >= deadline:
                return receipt
