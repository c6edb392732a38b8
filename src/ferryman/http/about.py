"""GET /about: which process answers, on which store, and what is not as it should be."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.client.about import Warned
from ferryman.domain.access import EVERYBODY, Right
from ferryman.http import query
from ferryman.http.exchange import Answer, Request
from ferryman.http.openness import Open
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, write_moment
from ferryman.version import VERSION

_JSON: Final = ((b"content-type", b"application/json"),)
_OPEN: Final = Warned(
    "open-to-all",
    "Whoever reaches this API may do everything: there is no API key.",
    "Make one: `ferryman api-keys add NAME --scope ...`.",
)


class Here(msgspec.Struct, frozen=True):
    """What is known of the process that serves."""

    node: Callable[[], str | None]
    """The id of its node; None where it has none of its own."""
    workers: Callable[[], int]
    """How many jobs can run at once."""
    started_at: int
    """In microseconds."""
    lease: float
    """For how many seconds a node may say nothing."""
    open_to: Callable[[], Open]
    """To whom the API is open while there is no API key."""


class StoreJson(msgspec.Struct, frozen=True):
    """What the store is."""

    kind: str
    place: str
    """Never with a password."""
    version: str | None
    migration: str | None
    size_bytes: int | None


class AboutJson(msgspec.Struct, frozen=True):
    """A process and its store, every field always present."""

    version: str
    python: str
    node: str | None
    host: str
    pid: int
    started_at: Moment
    workers: int
    store: StoreJson
    warnings: Sequence[Warned]
    open: bool
    """Whether nobody needs an API key."""


class AboutPaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, here: Here) -> None:
        self._client = client
        self._here = here

    def operations(self) -> tuple[Operation, ...]:
        """What can be done at /about: look."""
        return (
            Operation("GET", "/about", Right.READ, self.show, "Say what this is, and what is wrong", {200: AboutJson}),
        )

    async def show(self, request: Request) -> Answer:
        """GET /about."""
        query.parameters(request)
        here = self._here
        found = await self._client.about(here.lease)
        is_open = request.caller == EVERYBODY
        warned = [_OPEN] if is_open and here.open_to() is Open.EVERYBODY else []
        said = found.store
        told = AboutJson(
            version=VERSION,
            python=platform.python_version(),
            node=here.node(),
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=write_moment(here.started_at),
            workers=here.workers(),
            store=StoreJson(said.kind, said.place, said.version, said.migration, said.size_bytes),
            warnings=[*warned, *found.warnings],
            open=is_open,
        )
        return Answer(200, _JSON, msgspec.json.encode(told))
