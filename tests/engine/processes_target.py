"""Handlers that run in worker processes. Each imports this module anew."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from itertools import repeat
from typing import Any

from ferryman import Cancel, Context, Ferryman, Retry, Secret, Snooze

app = Ferryman()
counter = iter(range(1000))
"""Counts the runs in each process: a module is imported once in each."""


def tell(path: str, *words: object) -> None:
    """Write a line into a pipe; who reads it knows that the handler has come so far."""
    with open(path, "a") as pipe:  # noqa: PTH123 - as short as can be
        pipe.write(" ".join(map(str, words)) + "\n")


def hang() -> None:
    """Wait for ever. Now and then it looks up, for a signal that came just before it waited."""
    while True:
        threading.Event().wait(1)


class Refused(Exception):
    """Has a retry rule of its own."""


@app.job(process=True)
def whoami() -> dict[str, Any]:
    return {"pid": os.getpid(), "run": next(counter), "leader": os.getsid(0), "argv": sys.argv[1:]}


@app.job(process=True)
def double(n: int) -> int:
    return 2 * n


@app.job_with_context(process=True)
def reports(ctx: Context, count: int, path: str = "") -> None:
    for n in range(count):
        ctx.progress(n + 1, count, f"step {n}")
    logging.getLogger("shop").warning("I am %s", path or "done")
    if path:
        tell(path, "reported")
        hang()


@app.job_with_context(process=True)
def context(ctx: Context, word: str) -> dict[str, Any]:
    left = None if ctx.deadline is None else ctx.deadline - time.monotonic()
    return {
        "id": ctx.job.id,
        "type": ctx.job.type,
        "payload": ctx.job.payload,
        "claim": ctx.claim,
        "attempt": ctx.attempt,
        "left": left,
        "cancelled": ctx.cancelled,
        "worker": (ctx.log.extra or {})["worker_id"],
        "word": word,
    }


@app.job(process=True)
def betrays(token: Secret[str]) -> None:
    raise ValueError(f"no entry with {token.reveal()}")


@app.job(process=True)
def unprintable() -> object:
    return object()


@app.job(process=True)
def long_result(size: int) -> str:
    return "x" * size


@app.job(process=True, retry={Refused: 7.0, ValueError: None})
def raises(what: str) -> None:
    match what:
        case "refused":
            raise Refused("not now")
        case "value":
            raise ValueError("no use")
        case "retry":
            raise Retry(3.0)
        case "snooze":
            raise Snooze(4.0)
        case "cancel":
            raise Cancel("not wanted")
        case "exit":
            sys.exit(3)
        case _:
            raise KeyError(what)


@app.job_with_context(process=True)
def ends_its_process(ctx: Context, how: str) -> int:
    if ctx.attempt == 1 or how.startswith("always"):
        match how.removeprefix("always "):
            case "exit":
                os._exit(9)
            case "abort":
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                os.abort()
            case signal_:
                os.kill(os.getpid(), signal.Signals[signal_])
                hang()
    return ctx.attempt


@app.job(process=True)
def waits(path: str) -> None:
    tell(path, os.getpid())
    hang()


@app.job(process=True)
def cleans_up(path: str) -> None:
    try:
        tell(path, os.getpid())
        hang()
    finally:
        tell(path, "cleaned", threading.current_thread() is threading.main_thread())


@app.job(process=True)
def ignores(path: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(path, os.getpid())
    hang()


@app.job(process=True)
def ignores_and_returns(path: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.mkfifo(path + ".go")
    tell(path, os.getpid())
    with open(path + ".go"):  # noqa: PTH123 - waits until the other end is opened
        pass


@app.job(process=True)
def computes_without_end(path: str) -> None:
    """Never gives the interpreter back, to signals or to threads."""
    tell(path, os.getpid())
    deque(repeat(None), maxlen=0)


@app.job(process=True)
def swallows(path: str) -> str:
    try:
        tell(path, os.getpid())
        hang()
    except BaseException:
        tell(path, "swallowed")
    return "as if nothing had been"


@app.job(process=True)
def forks(path: str) -> None:
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        tell(path, os.getpid())
        hang()
    hang()


@app.job(process=True)
def waits_for_its_children() -> int:
    if not os.fork():
        os._exit(0)
    count = 0
    with contextlib.suppress(ChildProcessError):
        while os.wait():
            count += 1
    return count


@app.job(process=True)
def leaves_a_process(path: str) -> int:
    code = f"import signal; open({path!r}, 'a').write('up\\n'); signal.pause()"
    left = subprocess.Popen([sys.executable, "-c", code])
    left.returncode = 0  # nobody waits for it, and says so
    return left.pid


@app.job(process=True)
def leaves_a_thread() -> int:
    threading.Thread(target=signal.sigwait, args=({signal.SIGUSR2},)).start()
    return os.getpid()


@app.job(process=True)
def comes_back_twice() -> str:
    return "child" if not os.fork() else "parent"


@app.job(process=True)
def closes_stdout() -> str:
    sys.stdout.write("garbage \x00 \x01\n")
    sys.stdout.close()
    os.close(1)
    return "closed"


@app.job(process=True)
def speaks(text: str, path: str) -> None:
    sys.stdout.write(f"{text}\n")
    tell(path, "said")
    hang()


@app.job_with_context(process=True)
def logs(ctx: Context) -> None:
    ctx.log.info("to %s", "people")
    logging.getLogger("shop").warning("odd", extra={"n": 1, "thing": {1, 2}, "big": 2**70, "bad": "\ud800"})
    logging.getLogger("shop").debug("not heard")
    try:
        raise ValueError("caught")
    except ValueError:
        logging.getLogger("shop").exception("went wrong")


@app.job_with_context(process=True)
def logs_without_end(ctx: Context, path: str) -> None:
    tell(path, os.getpid())
    while True:
        ctx.log.debug("x" * 1000)


@app.job(process=True)
def grows(megabytes: int) -> int:
    kept.append(b"x" * (megabytes * 1024 * 1024))
    return os.getpid()


kept: list[bytes] = []
