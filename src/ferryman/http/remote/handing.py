"""Jobs on their way to a server: one, some, all or none, or any number of lines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ferryman.client.making import admit
from ferryman.client.many import MOST
from ferryman.client.request import Accepted, Catalogue, JobRequest
from ferryman.domain import options
from ferryman.domain.errors import BadOption, FerrymanError
from ferryman.domain.ids import IdMinter
from ferryman.http.remote import reading, sending
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.sending import Parcel
from ferryman.store.protocol import Clock, Declaration


class Handing:
    """The verbs that hand jobs in; a part of `RemoteClient`, and on its loop.

    Ids are minted here, so that what is said twice is done once.
    """

    def __init__(
        self, connection: Connection, catalogue: Catalogue, clock: Clock, ids: IdMinter, max_body: int
    ) -> None:
        """As `RemoteClient`."""
        self._connection = connection
        self._catalogue = catalogue
        self._clock = clock
        self._ids = ids
        self._max_body = max_body

    async def enqueue(self, request: JobRequest, wait: float | None = 0) -> Accepted:
        """Hand a job in; it is durable when this returns.

        Args:
            request: the job.
            wait: so many seconds to wait for room where its queue is full; None is as long as a verb may take.

        Raises:
            EnqueueError: it was refused; nothing was stored. QueueFull says when to come again.
            StoreError, ServerUnreachable, RemoteError: it may have been stored all the same; the same request with
                its `id`, or with an idempotency key, can be said again without doubling.
        """
        parcel = self._parcel(request)
        reply = await self._connection.say(sending.one(parcel, wait))
        replayed = "idempotent-replayed" in reply.headers
        return Accepted(parcel.new, reading.job(reply), replayed=replayed, existed=reply.status == 200)

    async def enqueue_chunk(self, requests: Sequence[JobRequest]) -> int:
        """Hand in a few jobs, at most about a thousand; returns how many.

        Raises: as `enqueue`, for the first refusal. The other jobs of its request are stored, and those before it.
        """
        parcels = [self._parcel(request) for request in requests]
        for piece in sending.batches(parcels, self._max_body):
            if piece[0].request.idempotency_key is not None:
                await self._connection.say(sending.one(piece[0], None))
                continue
            reply = await self._connection.say(sending.batch(piece))
            for told in reading.stored(reply, len(piece)):
                if isinstance(told, FerrymanError):
                    raise told
        return len(parcels)

    async def enqueue_all(self, requests: Sequence[JobRequest]) -> Sequence[str]:
        """Hand in up to a thousand jobs in one commit, all or none; gives the ids of the jobs that stand for them.

        Raises:
            WrongContent: one of them is refused, or may be for a key; its `errors` point at all that are.
            BadOption: they are none or too many, or one has an idempotency key.
            PayloadTooLarge: they do not fit into one request.
            QueueFull: one of the queues has no room for its part.
        """
        if not 1 <= len(requests) <= MOST:
            raise BadOption(f"{len(requests)} jobs cannot be handed in together.", why=f"Allowed: 1 to {MOST}.")
        reply = await self._connection.say(sending.whole([self._parcel(each) for each in requests], self._max_body))
        return reading.ids(reply)

    async def import_chunk(self, requests: Sequence[JobRequest]) -> int:
        """Hand in some thousand jobs, one a line, which is what costs a server least; returns how many.

        Raises: as `enqueue`, for the first refusal. The jobs before it are stored, and a note says how many they are;
            those behind it are stored, too, where they came in one commit with it.
        """
        parcels = [self._parcel(request) for request in requests]
        count = 0
        for piece in sending.imports(parcels):
            reply = await self._connection.tell(sending.lines(piece))
            if reply.status != 200:
                raise reading.stopped(reply, count)
            count += reading.imported(reply)
        return count

    def _parcel(self, request: JobRequest) -> Parcel:
        """A request, judged by what is known here. Raises EnqueueError."""
        now = self._clock.now()
        declared = self._catalogue.get(request.type)
        minted = self._ids.mint(now) if request.id is None else options.job_id(request.id)
        # what is past, and what is too far ahead, only the server's clock can say
        timeless = msgspec.structs.replace(request, run_at=None, expires_at=None)
        new = admit(timeless, Declaration() if declared is None else declared, minted, now, self._max_body)
        return sending.parcel(request, new, declared, self._max_body)
