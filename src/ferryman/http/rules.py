"""GET /rules, and the paths below /queues/{name} and /types/{name}: pause, resume, limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ferryman.client import Client
from ferryman.client.rules import limit_of
from ferryman.domain import options
from ferryman.domain.errors import BadOption, WrongContent
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.http import query, wire
from ferryman.http.exchange import Answer, Request
from ferryman.http.resource import Resource, check_bare, json_body

_JSON: Final = ((b"content-type", b"application/json"),)
_LIMIT: Final[Mapping[str, Callable[[object], object]]] = {
    "concurrency": lambda value: options.count("concurrency", value),
    "rate": options.rate,
    "burst": lambda value: options.count("burst", value),
}


class Rules:
    """One method per route, for queues and for types."""

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def routes(self) -> dict[str, Resource]:
        """Every path, with what is there."""
        found = {"/rules": Resource({"GET": self.list})}
        for scope, path in ((Scope.QUEUE, "/queues"), (Scope.TYPE, "/types")):
            named = _Named(self._client, self._max_body, scope)
            found[f"{path}/{{name}}/pause"] = Resource({"POST": named.pause})
            found[f"{path}/{{name}}/resume"] = Resource({"POST": named.resume})
            found[f"{path}/{{name}}/limit"] = Resource({"PUT": named.limit, "DELETE": named.unlimit})
        return found

    async def list(self, request: Request) -> Answer:
        """GET /rules: an array."""
        query.parameters(request)
        return Answer(200, _JSON, rules_json(await self._client.rules.all()))


class _Named:
    """What is done to one queue, or one type."""

    def __init__(self, client: Client, max_body: int, scope: Scope) -> None:
        self._client = client
        self._max_body = max_body
        self._scope = scope

    async def pause(self, request: Request) -> Answer:
        """POST .../pause: 200, what holds now."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.rules.pause(self._scope, self._name(request)))

    async def resume(self, request: Request) -> Answer:
        """POST .../resume."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.rules.resume(self._scope, self._name(request)))

    async def limit(self, request: Request) -> Answer:
        """PUT .../limit: what the body does not name is not bounded any more."""
        limit = read_limit(await json_body(request, self._max_body))
        return _answer(await self._client.rules.limit(self._scope, self._name(request), limit))

    async def unlimit(self, request: Request) -> Answer:
        """DELETE .../limit."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.rules.limit(self._scope, self._name(request), Limit()))

    def _name(self, request: Request) -> str:
        name: str = request.scope["path_params"]["name"]
        return name


def read_limit(body: bytes) -> Limit:
    """The limit that a body describes.

    Raises:
        WrongContent: naming each member that is wrong, or what is missing; or it is no strict JSON.
    """
    asked, wrong = wire.checked(wire.read_members(body), _LIMIT)
    if not wrong and asked.keys().isdisjoint({"concurrency", "rate"}):
        wrong.append(("", "Name concurrency, rate or both. DELETE ends the limit."))
    if not wrong:
        try:
            return limit_of(**asked)
        except BadOption as error:
            wrong.append(("/burst", f"{error.what} {error.why}"))
    raise WrongContent("The body does not describe a limit.", why=wrong[0][1], errors=tuple(wrong))


def rule_json(rule: Rule) -> bytes:
    """A rule as JSON: every member is always there."""
    return msgspec.json.encode(_members(rule))


def rules_json(rules: Sequence[Rule]) -> bytes:
    """Rules as a JSON array."""
    return msgspec.json.encode([_members(rule) for rule in rules])


def _answer(rule: Rule) -> Answer:
    return Answer(200, _JSON, rule_json(rule))


def _members(rule: Rule) -> dict[str, Any]:
    limit = rule.limit
    return {
        "scope": rule.scope.value,
        "name": rule.name,
        "paused": rule.paused,
        "concurrency": limit.concurrency,
        "rate": limit.rate,
        "burst": None if limit.rate is None else limit.burst,
    }
