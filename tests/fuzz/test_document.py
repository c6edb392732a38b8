"""The API does what its document says, as far as a few hundred requests can tell; the command asks thousands."""

from __future__ import annotations

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ferryman.domain import access
from ferryman.http.exchange import Request
from ferryman.http.guard import Guard
from tests.fuzz.callers import EVERYBODY, WHO, Place
from tests.fuzz.document import EXAMPLES, differences

FEW = 2
"""Requests for each operation and kind of a caller with a key: what is answered to everybody was asked before."""


def answering(api: ASGIApp, path: str, status: int, body: bytes) -> ASGIApp:
    """The API, but one path has another answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def other(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "status": status, "headers": [(b"content-type", b"application/json")]}
            elif message["type"] == "http.response.body":
                message = {**message, "body": body}
            await send(message)

        await api(scope, receive, other if scope["path"] == path else send)

    return app


def test_answers_are_as_the_document_says() -> None:
    told = list(differences(Place(WHO[EVERYBODY]), EXAMPLES, 1))
    assert {each.operation: each.faults for each in told if each.faults} == {}
    assert {"POST /jobs", "GET /jobs/{id}", "POST /jobs/import", "PUT /keys/{key}"} <= {each.operation for each in told}


@pytest.mark.parametrize("who", ["limited", "nobody", "writer"])
def test_where_there_are_keys_each_gets_what_its_own_is_for(who: str) -> None:
    place = Place(WHO[who])
    told = list(differences(place, FEW, 1))
    assert {each.operation: each.faults for each in told if each.faults} == {}
    assert (None in place.refusals.values()) and {401, 403} & set(place.refusals.values())


@pytest.mark.parametrize(
    ("who", "path"),
    [(EVERYBODY, "/jobs"), ("reader", "/jobs/{id}/cancel"), ("limited", "/jobs/{id}"), ("nobody", "/metrics")],
)
def test_a_guard_that_lets_everybody_pass_is_found(monkeypatch: pytest.MonkeyPatch, who: str, path: str) -> None:
    async def admit(_guard: object, request: Request, _operation: object) -> None:
        request.caller = access.EVERYBODY

    monkeypatch.setattr(Guard, "admit", admit)
    told = differences(Place(WHO[who]), EXAMPLES, 1, only=path)
    assert any(each.faults for each in told) == (who != EVERYBODY)


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (418, b"{}"), (200, b'{"status": "fine"}'), (200, b"{")],
    ids=["an error of ours", "a status that is not in the document", "another form", "no JSON"],
)
def test_an_answer_that_differs_is_found(status: int, body: bytes) -> None:
    place = Place(WHO[EVERYBODY])
    told = differences(place, 1, 1, only="/health", api=answering(place.world.api, "/health", status, body))
    assert [each.operation for each in told if each.faults] == ["GET /health"]
