"""The paths below /api-keys, and a key as JSON: who may use this API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final, cast

import msgspec

from ferryman.client import Client
from ferryman.client.access import GRACE
from ferryman.domain import access, options
from ferryman.domain.access import ApiKey, Issued, Right
from ferryman.http import bodies, heads, query, wire
from ferryman.http.actor import actor_of
from ferryman.http.exchange import Answer, Request
from ferryman.http.guard import Guard
from ferryman.http.operation import Operation
from ferryman.http.resource import json_body

_JSON: Final = (b"content-type", b"application/json")


class ApiKeyJson(msgspec.Struct, frozen=True):
    """An API key on the wire, every field always present; the secret is not among them."""

    id: str
    name: str
    scopes: tuple[Right, ...]
    queues: tuple[str, ...] | None
    rate: float | None
    """Requests a second."""
    burst: int | None
    quota: int | None
    """Jobs a day, by UTC."""
    quota_taken: int | None
    """Of today, with what processes have taken ahead."""
    created_at: wire.Moment
    expires_at: wire.Moment | None
    last_used_at: wire.Moment | None
    live: bool


class IssuedJson(ApiKeyJson, frozen=True):
    """A new one, with the text that its holder sends. Nobody is told it again."""

    key: str


class Revoked(msgspec.Struct, frozen=True):
    """How many keys lived until now."""

    revoked: int


class ApiKeyPaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, guard: Guard, max_body: int) -> None:
        self._client = client
        self._guard = guard
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done about API keys."""
        many, issued = "/api-keys", {201: IssuedJson}
        return (
            Operation("GET", many, Right.ADMIN, self.list, "List the API keys", {200: list[ApiKeyJson]}),
            Operation(
                "POST",
                many,
                Right.ADMIN,
                self.add,
                "Make an API key",
                issued,
                body=bodies.NewApiKey,
                problems=(409,),
            ),
            Operation(
                "POST",
                f"{many}/{{name}}/rotate",
                Right.ADMIN,
                self.rotate,
                "Have another API key follow one",
                issued,
                body=bodies.Rotation,
                problems=(404, 409),
            ),
            Operation(
                "DELETE",
                f"{many}/{{name}}",
                Right.ADMIN,
                self.revoke,
                "End the API keys of a name",
                {200: Revoked},
                heads.ApiKeyQuery,
                problems=(404,),
            ),
        )

    async def list(self, request: Request) -> Answer:
        """GET /api-keys: every key, also those that have ended."""
        query.parameters(request)
        keys = self._client.access
        return Answer(200, (_JSON,), keys_json(await keys.list(), keys.now(), await keys.taken()))

    async def add(self, request: Request) -> Answer:
        """POST /api-keys: 201 and the key, whose text is shown only here."""
        asked = wire.described(await json_body(request, self._max_body), NEW, _NEEDED, "an API key")
        return await self._issued(
            await self._client.access.add(asked.pop("name"), asked.pop("scopes"), **asked, by=actor_of(request))
        )

    async def rotate(self, request: Request) -> Answer:
        """POST /api-keys/{name}/rotate: 201 and the key that follows."""
        asked = wire.described(await json_body(request, self._max_body), ROTATION, {}, "a rotation")
        return await self._issued(
            await self._client.access.rotate(_name(request), asked.get("grace", GRACE), by=actor_of(request))
        )

    async def revoke(self, request: Request) -> Answer:
        """DELETE /api-keys/{name}: 200 and how many; with ?id= only that one."""
        id = query.api_key_id(request)
        wire.check_empty(await request.body(self._max_body))
        count = await self._client.access.revoke(_name(request), id, by=actor_of(request))
        self._guard.forget()
        return Answer(200, (_JSON,), msgspec.json.encode(Revoked(count)))

    async def _issued(self, issued: Issued) -> Answer:
        self._guard.forget()
        keys = self._client.access
        told = issued_json(issued, keys.now(), await keys.taken())
        return Answer(201, (_JSON, (b"cache-control", b"no-store")), told)


def keys_json(keys: Sequence[ApiKey], now: int, taken: Mapping[str, int]) -> bytes:
    """Keys as a JSON array; `taken` is how many jobs were taken from their quotas today, by name."""
    return msgspec.json.encode([_form(key, now, taken) for key in keys])


def issued_json(issued: Issued, now: int, taken: Mapping[str, int]) -> bytes:
    """A new key with its text."""
    told = msgspec.structs.asdict(_form(issued.key, now, taken))
    return msgspec.json.encode(IssuedJson(**told, key=issued.text.reveal()))


def _form(key: ApiKey, now: int, taken: Mapping[str, int]) -> ApiKeyJson:
    return ApiKeyJson(
        id=key.id,
        name=key.name,
        scopes=key.rights,
        queues=key.queues,
        rate=key.rate,
        burst=None if key.rate is None else key.burst,
        quota=key.quota,
        quota_taken=None if key.quota is None else taken.get(key.name, 0),
        created_at=wire.write_moment(key.created_at),
        expires_at=None if key.expires_at is None else wire.write_moment(key.expires_at),
        last_used_at=None if key.last_used_at is None else wire.write_moment(key.last_used_at),
        live=key.lives(now),
    )


def _name(request: Request) -> str:
    name: str = request.scope["path_params"]["name"]
    return name


def _some(option: str, check: Callable[[Sequence[object]], object], value: object) -> object:
    """A list, each of which is checked."""
    if isinstance(value, list):
        return check(cast("list[object]", value))
    raise options.refused(option, value, "a list of texts")


NEW: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "name": access.name,
        "scopes": partial(_some, "scopes", access.rights),
        "queues": partial(_some, "queues", access.queues),
        "rate": options.rate,
        "burst": partial(options.count, "burst"),
        "quota": partial(options.count, "quota"),
        "expires_at": partial(wire.moment, "expires_at"),
    }
)
_NEEDED: Final = MappingProxyType(
    {
        "name": "The name is missing: it says who the key is for.",
        "scopes": "The scopes are missing: they say what it may do.",
    }
)
ROTATION: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {"grace": partial(options.seconds_of, "grace")}
)
