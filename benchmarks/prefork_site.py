"""The site of benchmarks/prefork.py: every request enqueues one job, every run writes one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ferryman import Ferryman

StartResponse = Callable[[str, list[tuple[str, str]]], object]
FOLDER = Path(os.environ["PREFORK_FOLDER"])
RUNS = FOLDER / "runs"

app = Ferryman(f"sqlite:///{FOLDER}/ferryman.db")


@app.job
async def count(request: int) -> None:
    """Say that the job of this request runs; short appends of several processes do not mix."""
    with RUNS.open("ab", buffering=0) as runs:
        runs.write(b"%d\n" % request)


def application(environ: Mapping[str, str], start_response: StartResponse) -> Iterable[bytes]:
    """POST /N enqueues job N and answers its id."""
    handle = count.enqueue(int(environ["PATH_INFO"].removeprefix("/")))
    start_response("201 Created", [("Content-Type", "text/plain"), ("Content-Length", str(len(handle.id)))])
    return [handle.id.encode()]
