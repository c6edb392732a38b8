"""The jobs of the stock: served beside it, they have its types and their schemas known. See `stock`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, Literal

from ferryman import Cancel, Context, Ferryman, PerKey, Retry, Secret, Sequence, Snooze

LONG_TYPE: Final = "t" * 128

app = Ferryman()


class Hostile(Exception):
    """Its message is somebody else's."""


@app.job(queue="stock")
async def keep(**payload: Any) -> dict[str, Any]:
    """Give back what was given."""
    return payload


@app.job(queue="stock", max_attempts=1)
async def fail(text: str = "", characters: int = 0) -> None:
    """Fail with a text, or with a very long one."""
    raise Hostile(text or "<b>very</b> long " * (characters // 17))


@app.job(queue="stock", max_attempts=3, retry=0)
async def fail_again(text: str) -> None:
    """Fail at every attempt, because of something else that failed."""
    try:
        int(text)
    except ValueError as error:
        raise Hostile(text) from error


@app.job_with_context(queue="stock")
async def say(ctx: Context, texts: list[str], lines: int = 1) -> str:
    """Log texts at each level from info on, and tell of them as progress."""
    for done, text in enumerate(texts * lines, 1):
        ctx.log.log(logging.INFO + 10 * (done % 4), "%s", text)
        ctx.progress(done, len(texts) * lines, text[:200])
    return "said"


@app.job(queue="stock")
async def end_by_itself(reason: str) -> None:
    """Cancel itself."""
    raise Cancel(reason)


@app.job(queue="stock")
async def come_later(seconds: float, *, retry: bool = False) -> None:
    """Run again later: as another attempt, or as none."""
    raise Retry(seconds) if retry else Snooze(seconds)


@app.job(queue="stock", max_attempts=1, timeout=0.05)
async def take_too_long() -> None:
    """Be stopped by the timeout."""
    await asyncio.Event().wait()


@app.job(queue="stock", timeout=None)
async def hold() -> None:
    """Run until the node stops."""
    await asyncio.Event().wait()


@app.job(queue="stock", max_attempts=1, sequence=Sequence("account"))
async def in_order(account: str) -> None:
    """Fail, and so hold those behind up."""
    raise Hostile(f"account {account}")


@app.job(queue="stock", per_key=PerKey("who", concurrency=1, share=2))
async def take_turns(who: str) -> None:
    """Be one of many of a key."""


@app.job(queue="stock")
async def know_a_secret(token: Secret[str], note: str = "") -> str:
    """Nobody is to read the token anywhere."""
    return note


@app.job(queue="stock")
async def fill_in(
    title: str,
    copies: int,
    urgent: bool,
    paper: Literal["thin", "thick"],
    parts: list[str],
    token: Secret[str],
    discount: float = 0.5,
) -> list[Any]:
    """Have an argument of each kind that a form has a field for."""
    return [title, copies, urgent, paper, parts, discount]


@app.job(name=LONG_TYPE, queue="stock")
async def named_at_length() -> None:
    """Have a name as long as a name may be."""
