"""/session: a person signs in with an API key, which their browser shows from then on, and out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.domain.access import Caller, Right
from ferryman.domain.errors import ApiKeyRefused, BadOption
from ferryman.domain.secrets import Secret
from ferryman.http import bodies, cookie, query, wire
from ferryman.http.exchange import Answer, Request
from ferryman.http.guard import Guard
from ferryman.http.operation import Operation
from ferryman.http.problems import problem
from ferryman.http.resource import check_bare, json_body

_JSON: Final = (b"content-type", b"application/json")
_UNKEPT: Final = (b"cache-control", b"no-store")


class SessionJson(msgspec.Struct, frozen=True):
    """Who asks, and what they may do."""

    name: str | None
    """Of the API key; null where nobody needs one."""
    rights: tuple[Right, ...]
    """With those that are implied."""
    queues: tuple[str, ...] | None
    """Those to which they are limited; null is all."""
    open: bool
    """Whether nobody needs a key."""


class SessionPaths:
    """One method per route. None of them needs a right: what a key may do is what they tell."""

    def __init__(self, guard: Guard, max_body: int) -> None:
        self._guard = guard
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Sign in, look who it is, sign out."""
        path, session, refused = "/session", {200: SessionJson}, (401, 403, 429)
        return (
            Operation("GET", path, None, self.show, "Say who asks, and what they may do", session, problems=refused),
            Operation(
                "POST",
                path,
                None,
                self.sign_in,
                "Sign in with an API key, by a cookie",
                session,
                body=bodies.SignIn,
                problems=refused,
            ),
            Operation("DELETE", path, None, self.sign_out, "Sign out", {204: None}, problems=(403,)),
        )

    async def show(self, request: Request) -> Answer:
        """GET /session: 200 and who asks; a cookie that opens nothing is forgotten."""
        query.parameters(request)
        try:
            return _told(await self._guard.recognise(request))
        except ApiKeyRefused as error:
            return problem(error, () if cookie.shown(request) is None else cookie.ending(request))

    async def sign_in(self, request: Request) -> Answer:
        """POST /session: 200, who that is, and the cookie."""
        text: Secret[str] = wire.described(await json_body(request, self._max_body), MEMBERS, _NEEDED, "a key")["key"]
        caller = await self._guard.recognise_text(request, text)
        return _told(caller, cookie.keeping(request, text))

    async def sign_out(self, request: Request) -> Answer:
        """DELETE /session: 204, and the cookie is forgotten. The key goes on living."""
        await check_bare(request, self._max_body)
        return Answer(204, (_UNKEPT, *cookie.ending(request)))


def _told(caller: Caller, *headers: cookie.Header) -> Answer:
    told = SessionJson(
        caller.name or None,
        tuple(right for right in Right if caller.may(right)),
        None if caller.queues is None else tuple(sorted(caller.queues)),
        open=not caller.name,
    )
    return Answer(200, (_JSON, _UNKEPT, *headers), msgspec.json.encode(told))


def _key(value: object) -> Secret[str]:
    """The text of a key; what is no key at all opens nothing. Raises BadOption, which does not show it."""
    if not isinstance(value, str):
        raise BadOption("key has to be a text.", why="It is that of an API key.")
    return Secret(value)


MEMBERS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType({"key": _key})
_NEEDED: Final = MappingProxyType({"key": "The key is missing: it is what `ferryman api-keys add` has printed."})
