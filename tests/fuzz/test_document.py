"""The API does what its document says, as far as a few hundred requests can tell; the command asks thousands."""

from __future__ import annotations

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.fuzz.document import EXAMPLES, differences, furnished


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
    told = list(differences(furnished().api, EXAMPLES, 1))
    assert {each.operation: each.faults for each in told if each.faults} == {}
    assert {"POST /jobs", "GET /jobs/{id}", "POST /jobs/import", "PUT /keys/{key}"} <= {each.operation for each in told}


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (418, b"{}"), (200, b'{"status": "fine"}'), (200, b"{")],
    ids=["an error of ours", "a status that is not in the document", "another form", "no JSON"],
)
def test_an_answer_that_differs_is_found(status: int, body: bytes) -> None:
    told = differences(answering(furnished().api, "/health", status, body), 1, 1, only="/health")
    assert [each.operation for each in told if each.faults] == ["GET /health"]
