"""Judges requests where nobody can wait for the store: follow-ups of a run, jobs in somebody's own transaction."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable

from ferryman.client.known import KnownTypes
from ferryman.client.making import admit
from ferryman.client.request import MAX_BODY_DEFAULT, Catalogue, JobRequest
from ferryman.domain import options
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.store.protocol import Clock, Declaration


class Admission:
    """Makes jobs of requests, at once and from any thread."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        ids: IdMinter,
        *,
        max_body: int = MAX_BODY_DEFAULT,
        accept_unknown_types: bool = False,
    ) -> None:
        """`catalogue` are the types declared in this process; the rest is as for `Client`."""
        self._catalogue = catalogue
        self._clock = clock
        self._seeds = ids
        self._max_body = max_body
        self.known = KnownTypes(catalogue, clock, accept_unknown_types=accept_unknown_types)
        """The other types, as far as the store was asked about them."""
        self._turn = threading.Lock()
        self._ids: IdMinter | None = None

    def lacks(self, requests: Iterable[JobRequest]) -> bool:
        """Whether the store is to be asked which types it knows before these requests are judged."""
        foreign = {request.type for request in requests if self._catalogue.get(request.type) is None}
        return bool(foreign) and self.known.lacks(foreign)

    def admit(self, request: JobRequest) -> NewJob:
        """The job for a request, with an id of its own, by what is known of its type now.

        Raises:
            EnqueueError: the request is refused.
        """
        declared = self._catalogue.get(request.type) or self._told(request.type)
        now = self._clock.now()
        minted = self._mint(now) if request.id is None else options.job_id(request.id)
        return admit(request, declared, minted, now, self._max_body)

    def _told(self, type: str) -> Declaration:
        options.type_name(type)
        self.known.expect(
            type,
            f"This process has not declared the type {type}.",
            "Declare it on the app whose handlers run here, or set ACCEPT_UNKNOWN_TYPES.",
        )
        return self.known.get(type)

    def _mint(self, now: int) -> str:
        """An id. A minter belongs to one thread at a time, and that of the loop does not wait for others."""
        with self._turn:
            if self._ids is None:
                self._ids = IdMinter(random.Random(self._seeds.number()))
            return self._ids.mint(now)
