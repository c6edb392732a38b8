"""What stands at one path: its methods, and the forms in which it answers."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from ferryman.domain.errors import MethodNotAllowed, NotAcceptable, WrongContentType
from ferryman.http import query, wire
from ferryman.http.exchange import Answer, Request, respond
from ferryman.http.guard import Guard
from ferryman.http.operation import JSON, Operation
from ferryman.http.problems import problem


class Resource:
    """An ASGI application for one path. HEAD goes where GET goes, OPTIONS tells what there is."""

    def __init__(self, operations: Iterable[Operation], guard: Guard) -> None:
        """What can be done at one path, by whomever the guard lets pass."""
        self._guard = guard
        self._operations = {each.method: each for each in operations}
        if "GET" in self._operations:
            self._operations["HEAD"] = self._operations["GET"]
        self.methods = (*self._operations, "OPTIONS")
        self._allow = (b"allow", ", ".join(self.methods).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or raise a FerrymanError for the boundary to answer."""
        request = Request(scope, receive)
        try:
            await respond(request, await self._answer(request), send)
        finally:
            if request.at_end is not None:
                request.at_end()

    async def _answer(self, request: Request) -> Answer:
        operation = self._operations.get(request.method)
        if operation is not None:
            await self._guard.admit(request, operation)
            chosen(request, operation.offers)
            return await operation.call(request)
        if request.method == "OPTIONS":
            return Answer(204, (self._allow,))
        return problem(
            MethodNotAllowed(f"{request.scope['path']} does not take {request.method}."), headers=(self._allow,)
        )


def chosen(request: Request, offers: tuple[str, ...]) -> str:
    """The offer that the client likes best (RFC 9110, 12.5.1); the first of those it likes equally.

    Raises:
        NotAcceptable: it likes none of them.
    """
    accept = request.headers.get(b"accept")
    if accept is None or accept == b"*/*":
        return offers[0]
    wishes = likings(accept)
    liked = {offer: _quality(offer, wishes) for offer in offers}
    best = max(offers, key=lambda offer: liked[offer])
    if wishes and liked[best] <= 0:
        raise NotAcceptable("No form of this answer fits the Accept header.", hint=f"Accept {' or '.join(offers)}.")
    return best


def check_json(request: Request, wanted: str = JSON) -> None:
    """Refuse a body that does not say that it is plain JSON, or lines of it, in UTF-8. Raises WrongContentType."""
    if request.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise WrongContentType("The body is encoded.", hint="Send it without Content-Encoding.")
    said = request.headers.get(b"content-type", b"").decode("latin-1")
    if said == wanted:
        return
    media, *rest = (part.strip() for part in said.lower().split(";"))
    charsets = {part.removeprefix("charset=").strip('"') for part in rest if part.startswith("charset=")}
    if media != wanted or not charsets <= {"utf-8", "utf8"}:
        raise WrongContentType(
            f"The body is {said!a}." if said else "The body has no Content-Type.",
            hint=f"Send Content-Type: {wanted}, in UTF-8.",
        )


async def json_body(request: Request, max_body: int) -> bytes:
    """The body of a request that says everything in plain JSON. Raises WrongContentType, BadParameter."""
    query.parameters(request)
    check_json(request)
    return await request.body(max_body)


async def check_bare(request: Request, max_body: int) -> None:
    """Refuse parameters and a body where the path says everything. Raises BadParameter, WrongContent."""
    query.parameters(request)
    wire.check_empty(await request.body(max_body))


def likings(header: bytes) -> list[tuple[str, float]]:
    """What a header names, such as media ranges, and how much each of them is liked; in the order of the header."""
    return [_liking(part) for part in header.decode("latin-1").lower().split(",") if part.strip()]


def _liking(part: str) -> tuple[str, float]:
    """What a part names and how much it is liked: 0 is not at all, as is what cannot be read."""
    media, *rest = (each.strip() for each in part.split(";"))
    for each in rest:
        if each.startswith("q="):
            try:
                return media, float(each.removeprefix("q="))
            except ValueError:
                return media, 0.0
    return media, 1.0


def _quality(offer: str, wishes: list[tuple[str, float]]) -> float:
    """How much an offer is liked: the most exact range that covers it decides."""
    for cover in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        found = [liked for media, liked in wishes if media == cover]
        if found:
            return max(found)
    return 0.0
