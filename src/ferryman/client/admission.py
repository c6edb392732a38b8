"""Judges requests where nobody can wait for the store: follow-ups of a run, jobs in somebody's own transaction."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

from ferryman.client.making import admit
from ferryman.client.request import MAX_BODY_DEFAULT, Catalogue, JobRequest
from ferryman.domain import options
from ferryman.domain.errors import UnknownType
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.domain.suggest import did_you_mean
from ferryman.store.protocol import Clock

_NONE: Final[frozenset[str]] = frozenset()


def _no_types() -> frozenset[str]:
    """Nobody can say what the store knows."""
    return _NONE


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
        self._accept_unknown_types = accept_unknown_types
        self._turn = threading.Lock()
        self._ids: IdMinter | None = None

    def admit(self, request: JobRequest, known: Callable[[], frozenset[str]] = _no_types) -> NewJob:
        """The job for a request, with an id of its own. `known` gives the types that the store knows.

        Raises:
            EnqueueError: the request is refused.
        """
        declared = self._catalogue.get(request.type)
        if declared is None and not self._accept_unknown_types:
            self._expect(request.type, known)
        now = self._clock.now()
        minted = self._mint(now) if request.id is None else options.job_id(request.id)
        return admit(request, declared, minted, now, self._max_body)

    def _expect(self, type: str, known: Callable[[], frozenset[str]]) -> None:
        types = known()
        if options.type_name(type) not in types:
            raise UnknownType(
                f"This process has not declared the type {type}.",
                why=did_you_mean(type, types | self._catalogue.types),
                hint="Declare it on the app whose handlers run here, or set ACCEPT_UNKNOWN_TYPES.",
            )

    def _mint(self, now: int) -> str:
        """An id. A minter belongs to one thread at a time, and that of the loop does not wait for others."""
        with self._turn:
            if self._ids is None:
                self._ids = IdMinter(random.Random(self._seeds.number()))
            return self._ids.mint(now)
