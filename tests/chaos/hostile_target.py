"""Handlers that do their worker process every harm we know, and harmless ones beside them.

Each says in the file of `HOSTILE_LOG` when it begins, and the deadly ones when they are about to die: a line is
`monotonic-seconds worker-id job-id claim-number type what`, with `what` one of begin, alive, end, until:DEADLINE and
child:PID.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Final

from ferryman import Context, Ferryman

LOG: Final = "HOSTILE_LOG"
QUEUE: Final = "hostile"
ATTEMPTS: Final = 2
TIMEOUT: Final = 2.0
"""Seconds; the start of a worker process is part of it."""
CHUNK: Final = 8 * 1024 * 1024
EXIT: Final = 7
HOSTILE: Final[dict[str, Any]] = {"process": True, "queue": QUEUE, "max_attempts": ATTEMPTS, "retry": 0.0}

app = Ferryman()


def say(ctx: Context, what: str) -> None:
    """One line, in one write."""
    worker = (ctx.log.extra or {})["worker_id"]
    line = f"{time.monotonic():.6f} {worker} {ctx.job.id} {ctx.claim} {ctx.job.type} {what}\n"
    descriptor = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def begin(ctx: Context) -> None:
    """For handlers that run into their timeout."""
    say(ctx, "begin")
    say(ctx, f"until:{ctx.deadline:.6f}")


def linger() -> None:
    """Stay for ever, whoever asks to leave."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        threading.Event().wait(1)


def breed(ctx: Context) -> None:
    """Fork a child that lingers."""
    if not os.fork():
        say(ctx, f"child:{os.getpid()}")
        linger()


# -- hostile: the code that each ends with stands in hostile.py ------------------------------------------


@app.job_with_context(**HOSTILE, timeout=60)
def hogs(ctx: Context) -> None:
    """Allocates until the kernel kills it."""
    say(ctx, "begin")
    kept: list[bytes] = []
    while True:
        kept.append(b"x" * CHUNK)
        say(ctx, "alive")


@app.job_with_context(**HOSTILE, timeout=60)
def quits(ctx: Context) -> None:
    """Ends its process without a word."""
    say(ctx, "begin")
    os._exit(EXIT)


@app.job_with_context(**HOSTILE, timeout=60)
def crashes(ctx: Context) -> None:
    """Reads where nothing is."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    say(ctx, "begin")
    ctypes.string_at(0)


@app.job_with_context(**HOSTILE, timeout=TIMEOUT)
def ignores(ctx: Context) -> None:
    """Does not end when it is asked to."""
    begin(ctx)
    linger()


@app.job_with_context(**HOSTILE, timeout=TIMEOUT)
def spins(ctx: Context) -> None:
    """Never gives the interpreter back, to signals or to threads."""
    begin(ctx)
    deque(repeat(None), maxlen=0)


@app.job_with_context(**HOSTILE, timeout=TIMEOUT)
def breeds(ctx: Context) -> None:
    """Has children that do not end when they are asked to, and waits past its timeout."""
    begin(ctx)
    breed(ctx)
    breed(ctx)
    while True:
        threading.Event().wait(1)


@app.job_with_context(**HOSTILE, timeout=60)
def leaves(ctx: Context) -> None:
    """Returns, and leaves a child behind in its process's group."""
    say(ctx, "begin")
    breed(ctx)
    say(ctx, "end")


# -- harmless: any harm to them shows, as they have one attempt ------------------------------------------


@contextmanager
def told(ctx: Context) -> Generator[None]:
    """Around a harmless handler."""
    say(ctx, "begin")
    yield
    say(ctx, "end")


@app.job_with_context(max_attempts=1)
async def waits(ctx: Context, seconds: float) -> None:
    """On the loop."""
    with told(ctx):
        await asyncio.sleep(seconds)


@app.job_with_context(max_attempts=1)
def works(ctx: Context, seconds: float) -> None:
    """In a thread."""
    with told(ctx):
        time.sleep(seconds)


@app.job_with_context(max_attempts=1, process=True)
def computes(ctx: Context, seconds: float) -> None:
    """In a worker process, like the hostile ones."""
    with told(ctx):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass
