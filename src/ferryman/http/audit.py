"""GET /audit: what operators did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.http import query
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.heads import AuditQuery
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, write_moment
from ferryman.store.protocol import Entry

_JSON: Final = (b"content-type", b"application/json")


class DeedJson(msgspec.Struct, frozen=True):
    """A deed on the wire, every field always present."""

    number: int
    """Grows with every deed."""
    at: Moment
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


class AuditPaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """What can be done at /audit: look. Nothing changes a deed."""
        return (
            Operation(
                "GET", "/audit", Right.READ, self.list, "List what operators did", {200: list[DeedJson]}, AuditQuery
            ),
        )

    async def list(self, request: Request) -> Answer:
        """GET /audit: a page, the newest first, and where the next one is if there is one."""
        asked, after, limit, found = query.audit_page(request)
        one_more = await self._client.audit(asked, after, limit + 1)
        entries = one_more[:limit]
        link: Headers = ()
        if len(one_more) > limit:
            link = ((b"link", query.next_page(f"{request.prefix}/audit", found, str(entries[-1].number))),)
        return Answer(200, (_JSON, *link), entries_json(entries))


def entries_json(entries: Sequence[Entry]) -> bytes:
    """A page of deeds."""
    return msgspec.json.encode([deed_of(each) for each in entries])


def deed_of(entry: Entry) -> DeedJson:
    """A deed as it goes out."""
    deed = entry.deed
    return DeedJson(entry.number, write_moment(deed.at), deed.actor, deed.action, deed.target, dict(deed.detail))
