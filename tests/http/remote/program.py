"""Served for the tests; they enqueue by the same declarations, on an app that knows no more than a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferryman import Context, Ferryman, PerKey


def declared(app: Ferryman) -> Mapping[str, Any]:
    @app.job(queue="sums", priority=3)
    async def add(a: int, b: int = 1) -> int:
        return a + b

    @app.job(max_attempts=1)
    def fail(message: str) -> None:
        raise ValueError(message)

    @app.job
    async def greet(name: str) -> tuple[str, bytes]:
        return f"Hello, {name}", name.encode()

    @app.job(per_key=PerKey(lambda customer: customer.upper(), concurrency=1))
    async def bill(customer: str) -> str:
        return customer

    @app.job_with_context
    async def talk(ctx: Context, lines: int) -> None:
        for n in range(lines):
            ctx.log.info("line %d", n)
            ctx.progress(n + 1, lines)

    return {"talk": talk, "add": add, "fail": fail, "greet": greet, "bill": bill}


app = Ferryman()
declared(app)
