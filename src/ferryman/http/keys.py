"""The paths below /keys: a thin skin over the client's verbs about keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.domain import options
from ferryman.domain.access import Right
from ferryman.domain.errors import BadOption, WrongContent
from ferryman.domain.keyed import LARGEST_SHARE, gate_rule
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.http import query, wire
from ferryman.http.actor import actor_of
from ferryman.http.bodies import NewRule
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.heads import PageQuery
from ferryman.http.operation import Operation
from ferryman.http.resource import check_bare, json_body
from ferryman.store.protocol import KeyStatus

_JSON: Final = (b"content-type", b"application/json")
RULE: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "concurrency": partial(options.count, "concurrency"),
        "rate": options.rate,
        "burst": partial(options.count, "burst"),
        "share": partial(options.count, "share", most=LARGEST_SHARE),
        "sequence": partial(options.flag, "sequence"),
        "on_failure": partial(options.one_of, "on_failure", kind=OnFailure),
    }
)


class GateRuleJson(msgspec.Struct, frozen=True):
    """What a gate keeps to, in the words of PUT /keys/{key}; what is not bounded is null."""

    concurrency: int | None
    rate: float | None
    """Starts a second."""
    burst: int | None
    share: int | None
    """The key's weight among those that take turns."""
    sequence: bool
    on_failure: str | None


class KeyJson(msgspec.Struct, frozen=True):
    """A key on the wire, every field always present."""

    key: str
    concurrency: int | None
    rate: float | None
    """Starts a second."""
    burst: int | None
    share: int | None
    """Its weight among the keys that take turns."""
    sequence: bool
    on_failure: str | None
    pinned: bool
    paused: bool
    slots: int
    waiting: int
    held_by: tuple[str, ...]


class Passed(msgspec.Struct, frozen=True):
    """The failed jobs without which a sequence goes on."""

    passed: Sequence[str]


class Keys:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done below /keys; a key may have a slash in it."""
        one, many, status = "/keys/{key:path}", "/keys", {200: KeyJson}
        known = (404,)
        return (
            Operation("GET", many, Right.READ, self.list, "List the keys", {200: list[KeyJson]}, PageQuery),
            Operation("POST", f"{one}/pause", Right.OPERATE, self.pause, "Pause a key", status, problems=known),
            Operation("POST", f"{one}/resume", Right.OPERATE, self.resume, "Resume a key", status, problems=known),
            Operation(
                "POST", f"{one}/pass", Right.OPERATE, self.let_pass, "Pass failed jobs", {200: Passed}, problems=known
            ),
            Operation("GET", one, Right.READ, self.show, "Show a key", status, problems=known),
            Operation("PUT", one, Right.OPERATE, self.put, "Pin a rule", status, body=NewRule),
            Operation("DELETE", one, Right.OPERATE, self.delete, "Unpin a rule", status, problems=known),
        )

    async def list(self, request: Request) -> Answer:
        """GET /keys: a page, and where the next one is if there is one."""
        after, limit, found = query.key_page(request)
        one_more = await self._client.keys.list(after, limit + 1)
        keys = one_more[:limit]
        link: Headers = ()
        if len(one_more) > limit:
            link = ((b"link", query.next_page(f"{request.prefix}/keys", found, keys[-1].key)),)
        return Answer(200, (_JSON, *link), keys_json(keys))

    async def show(self, request: Request) -> Answer:
        """GET /keys/{key}."""
        query.parameters(request)
        return _answer(await self._client.keys.get(_key(request)))

    async def put(self, request: Request) -> Answer:
        """PUT /keys/{key}: the rule of its gate, whatever jobs bring along."""
        rule = read_rule(await json_body(request, self._max_body))
        return _answer(await self._client.keys.set(_key(request), rule, by=actor_of(request)))

    async def delete(self, request: Request) -> Answer:
        """DELETE /keys/{key}: jobs bring the rule again."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.keys.unset(_key(request), by=actor_of(request)))

    async def pause(self, request: Request) -> Answer:
        """POST /keys/{key}/pause: nobody is let in any more."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.keys.pause(_key(request), by=actor_of(request)))

    async def resume(self, request: Request) -> Answer:
        """POST /keys/{key}/resume: jobs are let in again."""
        await check_bare(request, self._max_body)
        return _answer(await self._client.keys.resume(_key(request), by=actor_of(request)))

    async def let_pass(self, request: Request) -> Answer:
        """POST /keys/{key}/pass: a sequence goes on without the failed jobs for which it waits."""
        await check_bare(request, self._max_body)
        passed = await self._client.keys.let_pass(_key(request), by=actor_of(request))
        return Answer(200, (_JSON,), msgspec.json.encode(Passed(passed)))


def key_of(status: KeyStatus) -> KeyJson:
    """A key as it goes out."""
    rule = rule_of(status.rule)
    return KeyJson(
        status.key,
        rule.concurrency,
        rule.rate,
        rule.burst,
        rule.share,
        rule.sequence,
        rule.on_failure,
        status.pinned,
        status.paused,
        status.slots,
        status.waiting,
        status.held_by,
    )


def rule_of(rule: GateRule) -> GateRuleJson:
    """A rule as it goes out; burst and on_failure are null where they would say nothing."""
    return GateRuleJson(
        rule.concurrency,
        rule.rate,
        None if rule.rate is None else rule.burst,
        rule.share,
        rule.strict,
        rule.on_failure.value if rule.strict else None,
    )


def keys_json(keys: Sequence[KeyStatus]) -> bytes:
    """A page of keys."""
    return msgspec.json.encode([key_of(each) for each in keys])


def read_rule(body: bytes) -> GateRule:
    """The rule that the body of a PUT asks for.

    Raises:
        WrongContent: naming each member that is wrong, or those that do not go together; or it is no strict JSON.
    """
    asked = wire.described(body, RULE, {}, "a rule")
    try:
        return gate_rule(**asked)
    except BadOption as error:
        text = f"{error.what} {error.why}"
        raise WrongContent(
            "The body does not describe a rule.", why=text, hint=error.hint, errors=(("", text),)
        ) from None


def _key(request: Request) -> str:
    key: str = request.scope["path_params"]["key"]
    return key


def _answer(status: KeyStatus) -> Answer:
    return Answer(200, (_JSON,), msgspec.json.encode(key_of(status)))
