"""One request at a time, spoken to the API without a socket, whose answer may take its time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import ASGIApp, Message

from ferryman.http.waits import STOP


class Asked:
    """A request under way; it begins with the next turn of the loop."""

    def __init__(
        self,
        api: ASGIApp,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        stop: asyncio.Event | None = None,
        **headers: str,
    ) -> None:
        """Headers are named with underscores; one with bars in it is sent as so many lines."""
        lines = [
            (name.replace("_", "-").encode(), each.encode())
            for name, value in headers.items()
            for each in value.split("|")
        ]
        if body:
            lines.append((b"content-type", b"application/json"))
        path, _, query = path.partition("?")
        self._scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": lines,
            "state": {} if stop is None else {STOP: stop},
        }
        self._body = [body]
        self._gone = asyncio.Event()
        self.sent: list[Message] = []
        self.task = asyncio.ensure_future(self._run(api))

    async def _run(self, api: ASGIApp) -> None:
        await api(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    def leave(self) -> None:
        """The client goes away."""
        self._gone.set()

    @property
    def status(self) -> int:
        found: int = self.sent[0]["status"]
        return found

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        """What has come of it so far."""
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def has_ended(self) -> bool:
        """Whether the answer is whole."""
        return len(self.sent) > 1 and not self.sent[-1].get("more_body", False)

    @property
    def events(self) -> list[dict[str, str]]:
        """The server-sent events so far, each as its fields; a comment has none."""
        blocks = self.body.decode().split("\n\n")
        assert blocks.pop() == ""
        lines = [[line.partition(":") for line in block.split("\n")] for block in blocks]
        return [{name: value.removeprefix(" ") for name, _, value in block if name} for block in lines]
