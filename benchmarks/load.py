"""An HTTP load from one process: N keep-alive connections, each sending one request after another.

    python -m benchmarks.load http://127.0.0.1:8080 --requests 20000 --connections 50

Prints one JSON line: requests per second and latency percentiles in milliseconds. Every answer must be
a 201; anything else ends the run with code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import cast
from urllib.parse import urlsplit

from benchmarks.figures import percentile
from ferryman.program import new_event_loop

PAYLOAD = "x" * 180


class Sender(asyncio.Protocol):
    """One connection: writes a request, waits for its answer, writes the next one."""

    def __init__(self, request: bytes, budget: Budget) -> None:
        self._request = request
        self._budget = budget
        self._buffer = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take an answer; its length is in its head."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < content_length(head):
            return
        self._budget.latencies.append(time.perf_counter() - self._sent_at)
        if not head.startswith(b"HTTP/1.1 201"):
            self._budget.refused.append(self._buffer[:300])
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, wanted or not."""
        if not self.done.done():
            self.done.set_result(None)

    def _next(self) -> None:
        if not self._budget.take():
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


class Budget:
    """How many requests are left, and what came back."""

    def __init__(self, requests: int) -> None:
        self._left = requests
        self.latencies: list[float] = []
        self.refused: list[bytes] = []

    def take(self) -> bool:
        """Whether one more may be sent."""
        self._left -= 1
        return self._left >= 0


def content_length(head: bytes) -> int:
    """The length that a response's head announces."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def load(url: str, requests: int, connections: int, type: str) -> dict[str, object]:
    """Send it all."""
    place = urlsplit(url)
    body = json.dumps({"type": type, "payload": {"text": PAYLOAD}}).encode()
    head = (
        f"POST /jobs HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    budget = Budget(requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    senders = []
    for _ in range(connections):
        _, sender = await loop.create_connection(
            lambda: Sender(head.encode() + body, budget), place.hostname or "127.0.0.1", place.port or 80
        )
        senders.append(sender)
    await asyncio.gather(*(sender.done for sender in senders))
    seconds = time.perf_counter() - began
    ordered = sorted(budget.latencies)
    return {
        "requests": len(ordered),
        "refused": [text.decode("utf-8", "replace") for text in budget.refused[:3]],
        "per_second": round(len(ordered) / seconds),
        "p50_ms": round(percentile(ordered, 0.5) * 1000, 2),
        "p99_ms": round(percentile(ordered, 0.99) * 1000, 2),
    }


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Load POST /jobs.")
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=20000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--type", default="noop")
    options = parser.parse_args()
    loading = load(options.url, options.requests, options.connections, options.type)
    figures = new_event_loop().run_until_complete(loading)
    print(json.dumps(figures))
    return 1 if figures["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
