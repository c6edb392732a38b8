"""What attempts have failed of, as a server tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ferryman.http.error_groups import ErrorGroupJson
from ferryman.http.remote.asking import Ask
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.options import ErrorsOptions, errors_query_of
from ferryman.http.remote.paths import path_of
from ferryman.http.remote.reading import read


class ErrorGroups:
    """As `client.errors`; a group is told of as the server writes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, **which: Unpack[ErrorsOptions]) -> Sequence[ErrorGroupJson]:
        """A page of error groups, the one that was seen last first.

        Args:
            which: `queue` and `type`: only what such jobs failed of; `start` and `end`: only groups that were seen last
                in this time, as datetimes with a zone; `after`: the group after which the page starts; `limit`.

        Raises:
            BadOption: a time has no zone.
        """
        query = errors_query_of(**which)
        reply = await self._connection.say(Ask("GET", f"/errors?{query}" if query else "/errors"))
        return read(reply, tuple[ErrorGroupJson, ...], lambda found: found)

    async def get(self, group: str) -> ErrorGroupJson:
        """One error group. Raises ErrorGroupNotFound."""
        return read(
            await self._connection.say(Ask("GET", path_of("errors", group))), ErrorGroupJson, lambda found: found
        )
