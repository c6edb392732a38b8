"""Many jobs in one commit, each with an answer of its own, or all or none.

judge -> which of them the client would refuse, before anything is stored -> hand_in, or hand_in_all
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ferryman.client.chunks import CHUNK
from ferryman.client.inserter import Inserter
from ferryman.client.intake import Intake
from ferryman.client.known import Asking
from ferryman.client.pressure import Pressure
from ferryman.client.request import JobRequest
from ferryman.domain.errors import EnqueueError, FerrymanError, QueueForbidden, QueueFull
from ferryman.domain.job import NewJob

MOST: Final = CHUNK
"""How many jobs may be handed in at one go."""


class Judged(msgspec.Struct, frozen=True):
    """What becomes of requests, as far as the client can tell; each goes by the number that its caller gave it."""

    news: Mapping[int, NewJob]
    """Those that may go to the store."""
    refused: Mapping[int, FerrymanError]


class Many:
    """Hands in up to `MOST` requests at one go. It lives on the loop of its client."""

    def __init__(self, types: Asking, intake: Intake, inserter: Inserter, pressure: Pressure) -> None:
        self._types = types
        self._intake = intake
        self._inserter = inserter
        self._pressure = pressure

    async def judge(self, requests: Mapping[int, JobRequest]) -> Judged:
        """Which requests are right as far as that can be said without storing them. Raises StoreError."""
        strangers = await self._types.strangers({request.type for request in requests.values()})
        news: dict[int, NewJob] = {}
        refused: dict[int, FerrymanError] = {}
        for number, request in requests.items():
            if request.type in strangers:
                refused[number] = strangers[request.type]
                continue
            try:
                news[number] = self._intake.admit(request)
            except (EnqueueError, QueueForbidden) as error:
                refused[number] = error
        return Judged(news, refused)

    async def hand_in(
        self, requests: Mapping[int, JobRequest], news: Mapping[int, NewJob]
    ) -> Mapping[int, str | FerrymanError]:
        """Store jobs that `judge` has let pass, each for itself.

        Gives for each the id of the job that stands for it, or why the store refused it.

        Raises:
            StoreError: the store failed. The jobs may have been stored all the same.
        """
        if not news:
            return {}
        told: dict[int, str | FerrymanError] = {}
        receipts = await self._inserter.write(list(news.values()))
        for (number, new), receipt in zip(news.items(), receipts, strict=True):
            told[number] = await self._intake.refusal(requests[number], new, receipt) or receipt.id
        return told

    async def hand_in_all(self, news: Sequence[NewJob]) -> Sequence[str]:
        """Store all of these jobs, or none; gives the ids of the jobs that stand for them.

        The requests have to be `is_certain`. Whether the queues have room is looked at before, since a store judges
        each job on its own: what others hand in at that moment may come on top of their bounds.

        Raises:
            QueueFull: one of the queues has no room for its part; nothing was stored.
            StoreError: the store failed. All of the jobs may have been stored all the same.
        """
        wanted = Counter(new.queue for new in news)
        queue = await self._pressure.full(wanted)
        if queue is not None:
            raise QueueFull(
                f"The queue {queue} has no room for {wanted[queue]} more jobs; nothing was stored.",
                retry_after=await self._pressure.retry_after(queue),
                why="As many jobs wait in it as MAX_PENDING allows, or its first one for longer than MAX_AGE.",
                hint="Try again later, or hand in fewer at once.",
            )
        return [receipt.id for receipt in await self._inserter.write(news, bounded=False)]


def is_certain(request: JobRequest) -> bool:
    """Whether the store refuses this job for nothing but a full queue.

    A key that somebody has may be refused for this job alone, and a store stores the others.
    """
    return request.idempotency_key is None and (request.unique_key is None or request.on_conflict == "return")
