"""What attempts have failed of, each group of like errors told once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from ferryman.domain import options
from ferryman.domain.error_groups import is_group
from ferryman.domain.errors import ErrorGroupNotFound
from ferryman.store.protocol import Clock, ErrorGroup, GroupFilter, Store

PAGE: Final = 100


class ErrorGroups:
    """The verbs; a part of a client. Every error is one of `ferryman.errors`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list(self, asked: GroupFilter | None = None) -> Sequence[ErrorGroup]:
        """The groups that fit, the one that was seen last first; 100 of them where nobody says which."""
        which = GroupFilter(limit=PAGE) if asked is None else asked
        if not all(options.is_clean(name) for name in (*which.queues, *which.types)):
            return []  # what no store can keep no job has, and no database can be asked for it
        return await self._store.error_groups(which, self._clock.now())

    async def get(self, id: str, *, within: Collection[str] | None = None) -> ErrorGroup:
        """One group, as far as jobs in the queues `within` have failed of it.

        Raises:
            ErrorGroupNotFound: nothing has failed of it, or longer ago than 90 days.
        """
        asked = GroupFilter(id=id, queues=frozenset(within or ()), limit=1)
        found = await self._store.error_groups(asked, self._clock.now()) if is_group(id) else ()
        if not found:
            raise ErrorGroupNotFound(
                f"There is no error group {id[:40]!a}.",
                why="Nothing has failed of it in the last 90 days.",
                hint="`ferryman errors` lists those that there are.",
            )
        return found[0]
