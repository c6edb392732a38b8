"""GET /types: what the store knows of each type, and which nodes can run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.job import AfterCrashes
from ferryman.domain.keyed import KeyedByArgument
from ferryman.http import query
from ferryman.http.exchange import Answer, Request
from ferryman.http.keys import GateRuleJson, rule_of
from ferryman.http.operation import Operation
from ferryman.store.protocol import Declaration, NodeStatus

_JSON: Final = ((b"content-type", b"application/json"),)


class KeyedJson(msgspec.Struct, frozen=True):
    """How jobs of a type have keys, and what the gates of these keep to."""

    argument: str | None
    """Whose value is the key; None where a function gives it, which only the process that declares the type can ask."""
    rule: GateRuleJson


class TypeJson(msgspec.Struct, frozen=True):
    """A type on the wire, every field always present."""

    type: str
    queue: str
    priority: int
    max_attempts: int
    secrets: list[str]
    """The members of its jobs' payloads that are not shown."""
    after_crashes: AfterCrashes | None
    key: KeyedJson | None
    arguments: dict[str, Any] | None
    """The JSON Schema (2020-12) of its jobs' payloads; None where no node has told one."""
    nodes: list[str]
    """The live nodes that say they have a handler for it, oldest first."""


class TypePaths:
    """What is below /types, but for what rules say."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """What is to be seen of types."""
        return (Operation("GET", "/types", Right.READ, self.list, "List the types", {200: list[TypeJson]}),)

    async def list(self, request: Request) -> Answer:
        """GET /types: every type that a node has ever registered, by name."""
        query.parameters(request)
        return Answer(200, _JSON, types_json(await self._client.types(), await self._client.nodes()))


def types_json(types: Mapping[str, Declaration], nodes: Sequence[NodeStatus]) -> bytes:
    """Types as a JSON array."""
    live = [each for each in nodes if each.live]
    return msgspec.json.encode(
        [
            TypeJson(
                type,
                declared.queue,
                declared.priority,
                declared.max_attempts,
                sorted(declared.secrets),
                declared.after_crashes,
                None if declared.keyed is None else _keyed_of(declared.keyed),
                None if declared.arguments is None else msgspec.json.decode(declared.arguments),
                [node.id for node in live if node.types is not None and type in node.types],
            )
            for type, declared in sorted(types.items())
        ]
    )


def _keyed_of(keyed: KeyedByArgument) -> KeyedJson:
    return KeyedJson(keyed.argument, rule_of(keyed.rule))
