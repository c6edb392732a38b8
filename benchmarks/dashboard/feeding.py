"""Hand in jobs at an even rate over HTTP until SIGTERM: `python -m benchmarks.dashboard.feeding URL --rate 2000`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from urllib.parse import urlsplit

BATCHES: int = 20
"""So many requests a second."""


async def feed(url: str, rate: int, type: str) -> None:
    """One batch after the other, each at its time; one that is late is followed at once by the next."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    jobs = [{"type": type, "payload": {"text": "x" * 100}} for _ in range(rate // BATCHES)]
    body = json.dumps({"jobs": jobs}).encode()
    head = f"POST /jobs/batch HTTP/1.1\r\nhost: {place.netloc}\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    due = asyncio.get_running_loop().time()
    while True:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 201 " not in answer.partition(b"\r\n")[0]:
            raise RuntimeError(answer.decode())
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        due += 1 / BATCHES
        await asyncio.sleep(due - asyncio.get_running_loop().time())


def main() -> None:
    """Read the options and feed."""
    parser = argparse.ArgumentParser(description="Hand in jobs at an even rate.")
    parser.add_argument("url")
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--type", default="noop", help="of the jobs; the server has to know it")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(0)))
    asyncio.run(feed(options.url, options.rate, options.type))


if __name__ == "__main__":
    main()
