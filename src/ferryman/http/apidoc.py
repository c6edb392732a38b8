"""GET /openapi.json and GET /docs: the API describes itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from ferryman.http import apipage, openapi, query
from ferryman.http.exchange import Answer, Request
from ferryman.http.operation import HTML, Operation

_JSON: Final = ((b"content-type", b"application/json"),)
_PAGE: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", apipage.POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
)


class ApiDocument:
    """What can be done, for programs and for people. It says nothing of jobs, so that nobody is asked for a right."""

    def __init__(self, others: Sequence[Operation]) -> None:
        """`others` are all operations but these."""
        self._described = (*others, *self.operations())

    def operations(self) -> tuple[Operation, ...]:
        """The two paths."""
        return (
            Operation("GET", "/openapi.json", None, self.show, "Describe the API as OpenAPI", {200: dict[str, Any]}),
            Operation("GET", "/docs", None, self.read, "Describe the API on a page", {200: str}, offers=(HTML,)),
        )

    async def show(self, request: Request) -> Answer:
        """GET /openapi.json."""
        query.parameters(request)
        told = self._json
        if request.prefix:  # clients that are made of the document go where that says
            told = msgspec.json.encode({**openapi.document(self._described), "servers": [{"url": request.prefix}]})
        return Answer(200, _JSON, told)

    async def read(self, request: Request) -> Answer:
        """GET /docs."""
        query.parameters(request)
        return Answer(200, _PAGE, self._html)

    @cached_property
    def _json(self) -> bytes:
        return msgspec.json.encode(openapi.document(self._described))

    @cached_property
    def _html(self) -> bytes:
        return apipage.page(openapi.document(self._described)).encode()
