"""What those parts of a client have in common that change jobs, one or all that fit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ferryman.client.deeds import Deeds
from ferryman.client.finding import Finding
from ferryman.domain.events import Events
from ferryman.domain.job import Job
from ferryman.store.protocol import Clock, Store, Wakeup


class Changing:
    """Where they find jobs and change them, and whom they tell. Every error is one of `ferryman.errors`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wakeup: Wakeup,
        events: Events,
        deeds: Deeds,
        get: Callable[[str], Awaitable[Job]],
        finding: Finding,
    ) -> None:
        """`get` reads one job, and raises JobNotFound."""
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        self._events = events
        self._deeds = deeds
        self._get = get
        self._finding = finding
