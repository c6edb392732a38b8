"""Who may use the API, said to a server by somebody who may say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ferryman.client.access import GRACE
from ferryman.domain import access, options
from ferryman.domain.access import ApiKey, Issued
from ferryman.domain.errors import ApiKeyNotFound
from ferryman.domain.secrets import Secret
from ferryman.http.api_keys import ApiKeyJson, IssuedJson, Revoked
from ferryman.http.remote.asking import Ask, body_of
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.options import micros_of
from ferryman.http.remote.paths import asked, path_of
from ferryman.http.remote.problems import error_of
from ferryman.http.remote.reading import certain, moment, read
from ferryman.http.wire import write_moment


class ApiKeys:
    """As `client.access`. What is told of a key lacks its digest, which the server tells nobody.

    The text of a new key is told once. So `add` and `rotate` are not said again where their answer was lost: `revoke`
    the key of which nobody knows the text.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> Sequence[ApiKey]:
        """Every key, also those that have ended, by name."""
        reply = await self._connection.say(Ask("GET", "/api-keys"))
        return read(reply, tuple[ApiKeyJson, ...], lambda found: tuple(map(_key, found)))

    async def add(
        self,
        name: str,
        scopes: Iterable[object],
        *,
        queues: Iterable[object] | None = None,
        rate: object = None,
        burst: int | None = None,
        expires_at: int | datetime | None = None,
    ) -> Issued:
        """Make a key, whose text nobody can be told again.

        Args:
            name: who it is for.
            scopes: what it may do, such as "enqueue" and "read".
            queues: to which it is limited; None is all.
            rate: requests that one process answers, a second or as a text such as "100/s"; None is no bound.
            burst: how many more there may be at once; by default as many as come in a second.
            expires_at: as a time with its zone, or in microseconds; None is never.

        Raises:
            BadOption, WrongContent: one of them is not allowed.
            ApiKeyTaken: a key of this name lives.
        """
        end = None if expires_at is None else micros_of("expires_at", expires_at)
        said = {
            "name": access.name(name),
            "scopes": access.rights(scopes),
            "queues": None if queues is None else access.queues(queues),
            "rate": None if rate is None else options.rate(rate),
            "burst": burst,
            "expires_at": None if end is None else write_moment(end),
        }
        return await self._issue("/api-keys", body_of(said))

    async def rotate(self, name: str, grace: float = GRACE) -> Issued:
        """Make a key that opens what the one of this name does, which ends `grace` seconds from now.

        Raises:
            BadOption, WrongContent: the name or the grace is not allowed.
            ApiKeyNotFound: no key of this name lives.
            ApiKeyTaken: two of them do already.
        """
        return await self._issue(path_of("api-keys", access.name(name), "rotate"), body_of({"grace": grace}))

    async def revoke(self, name: str, id: str | None = None) -> int:
        """End the keys of a name, or the one of them that has this id. Returns how many lived.

        0 says that they have ended, and that the answer which said how many was lost.

        Raises:
            BadOption: it is no name.
            ApiKeyNotFound: none of them lives.
        """
        path = asked(path_of("api-keys", access.name(name)), [("id", id)])
        reply = await self._connection.tell(Ask("DELETE", path))
        if reply.status == 200:
            return read(reply, Revoked, lambda found: found.revoked)
        error = error_of(reply)
        if reply.unsure and isinstance(error, ApiKeyNotFound):
            return 0
        raise error

    async def _issue(self, path: str, body: bytes) -> Issued:
        reply = await self._connection.say(Ask("POST", path, body, repeatable=False))
        return read(reply, IssuedJson, lambda found: Issued(_key(found), Secret(found.key)))


def _key(found: ApiKeyJson) -> ApiKey:
    return ApiKey(
        id=found.id,
        name=found.name,
        digest="",
        rights=found.scopes,
        queues=found.queues,
        rate=found.rate,
        burst=1 if found.burst is None else found.burst,
        created_at=certain(found.created_at),
        expires_at=moment(found.expires_at),
        last_used_at=moment(found.last_used_at),
    )
