"""GET /rules, and the paths below /queues/{name} and /types/{name}: pause, resume, limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.client.rules import limit_of
from ferryman.domain import options
from ferryman.domain.access import Right
from ferryman.domain.errors import BadOption, WrongContent
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.http import query, wire
from ferryman.http.actor import actor_of
from ferryman.http.bodies import NewLimit
from ferryman.http.exchange import Answer, Request
from ferryman.http.narrowing import check_queue
from ferryman.http.operation import Operation
from ferryman.http.resource import check_bare, json_body

_JSON: Final = ((b"content-type", b"application/json"),)
LIMIT: Final[Mapping[str, Callable[[object], object]]] = {
    "concurrency": lambda value: options.count("concurrency", value),
    "rate": options.rate,
    "burst": lambda value: options.count("burst", value),
}


class RuleJson(msgspec.Struct, frozen=True):
    """What holds for all jobs of a queue or a type."""

    scope: Scope
    name: str
    paused: bool
    concurrency: int | None
    rate: float | None
    burst: int | None


class Rules:
    """One method per route, for queues and for types."""

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done about rules."""
        return (
            Operation("GET", "/rules", Right.READ, self.list, "List pauses and limits", {200: list[RuleJson]}),
            *_Named(self._client, self._max_body, Scope.QUEUE).operations("/queues/{name}"),
            *_Named(self._client, self._max_body, Scope.TYPE).operations("/types/{name}"),
        )

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

    def operations(self, path: str) -> Iterator[Operation]:
        """What can be done below the path of a queue or type."""
        for method, below, call, says, body in (
            ("POST", "pause", self.pause, "Pause", None),
            ("POST", "resume", self.resume, "Resume", None),
            ("PUT", "limit", self.limit, "Limit", NewLimit),
            ("DELETE", "limit", self.unlimit, "End the limit of", None),
        ):
            said = f"{says} a {self._scope.value}"
            answers = {200: RuleJson}
            yield Operation(
                method,
                f"{path}/{below}",
                Right.OPERATE,
                call,
                said,
                answers,
                body=body,
                by_queue=self._scope is Scope.QUEUE,
            )

    async def pause(self, request: Request) -> Answer:
        """POST .../pause: 200, what holds now."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.rules.pause(self._scope, self._name(request), by=actor_of(request)))

    async def resume(self, request: Request) -> Answer:
        """POST .../resume."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.rules.resume(self._scope, self._name(request), by=actor_of(request)))

    async def limit(self, request: Request) -> Answer:
        """PUT .../limit: what the body does not name is not bounded any more."""
        limit = read_limit(await json_body(request, self._max_body))
        return _answer(await self._client.rules.limit(self._scope, self._name(request), limit, by=actor_of(request)))

    async def unlimit(self, request: Request) -> Answer:
        """DELETE .../limit."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.rules.limit(self._scope, self._name(request), Limit(), by=actor_of(request)))

    def _name(self, request: Request) -> str:
        name: str = request.scope["path_params"]["name"]
        return check_queue(request.caller, name) if self._scope is Scope.QUEUE else name


def read_limit(body: bytes) -> Limit:
    """The limit that a body describes.

    Raises:
        WrongContent: naming each member that is wrong, or what is missing; or it is no strict JSON.
    """
    asked, wrong = wire.checked(wire.read_members(body), LIMIT)
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
    return msgspec.json.encode(_form(rule))


def rules_json(rules: Sequence[Rule]) -> bytes:
    """Rules as a JSON array."""
    return msgspec.json.encode([_form(rule) for rule in rules])


def _answer(rule: Rule) -> Answer:
    return Answer(200, _JSON, rule_json(rule))


def _form(rule: Rule) -> RuleJson:
    limit = rule.limit
    burst = None if limit.rate is None else limit.burst
    return RuleJson(rule.scope, rule.name, rule.paused, limit.concurrency, limit.rate, burst)
