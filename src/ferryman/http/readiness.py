"""Whether a process is ready for requests, and what keeps it from being so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from ferryman.domain.errors import StoreError
from ferryman.store.protocol import Declaration, Store

ANSWER_SECONDS: Final = 2.0
"""For so long a probe waits for the store."""
NO_NODE: Final = "It does not claim: it is starting, quiet or stopping, or was found dead and begins anew."


class Readiness:
    """Asks the node, and the store over its own connections. Probes at the same time share one look at the store."""

    def __init__(self, claims: Callable[[], bool], store: Store, patience: float = ANSWER_SECONDS) -> None:
        """`claims` says whether jobs are claimed here; `patience` is in seconds."""
        self._claims = claims
        self._store = store
        self._patience = patience
        self._looking: asyncio.Future[Mapping[str, Declaration]] | None = None

    async def missing(self) -> Mapping[str, str]:
        """What is not ready, and for each why, in a line."""
        missing = {} if self._claims() else {"node": NO_NODE}
        why = await self._look_at_store()
        return missing if why is None else {**missing, "store": why}

    async def _look_at_store(self) -> str | None:
        look = self._looking
        if look is None or look.done():
            look = self._looking = asyncio.ensure_future(self._store.known_types())
        await asyncio.wait((look,), timeout=self._patience)
        if not look.done():
            return f"It has not answered for {self._patience:g} s."
        error = look.exception()
        if isinstance(error, StoreError):
            return " ".join(f"{error.code}: {error.what} {error.why}".split())
        look.result()
        return None
