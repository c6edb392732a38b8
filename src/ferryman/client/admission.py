"""Judges requests where nobody can wait for the store: follow-ups of a run, jobs in somebody's own transaction."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping

from ferryman.client.known import KnownTypes
from ferryman.client.making import admit
from ferryman.client.request import MAX_BODY_DEFAULT, Catalogue, JobRequest
from ferryman.domain import options
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.store.protocol import Clock, Declaration

Ask = Callable[[], Mapping[str, Declaration]]


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

    def admit(self, request: JobRequest, ask: Ask | None = None) -> NewJob:
        """The job for a request, with an id of its own. `ask` gives the types that the store knows; None: nobody can.

        Raises:
            EnqueueError: the request is refused.
        """
        declared = self._catalogue.get(request.type) or self._told(request.type, ask)
        now = self._clock.now()
        minted = self._mint(now) if request.id is None else options.job_id(request.id)
        return admit(request, declared, minted, now, self._max_body)

    def _told(self, type: str, ask: Ask | None) -> Declaration:
        options.type_name(type)
        if ask is not None and self.known.lacks([type]):
            self.known.learn(ask())
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
