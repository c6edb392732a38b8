"""The queue `webhooks`: other people's servers, each of them asked with care, and each in trouble in its own way."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any, Final

from ferryman import Context, Ferryman, PerKey, Retry, Secret
from ferryman.calls import Call
from ferryman.demo.order import Order, customer, number
from ferryman.demo.surroundings import Surroundings

HOSTS: Final = ("hooks.crm.example", "api.books.example", "in.chat.example", "old.erp.example")
EVENTS: Final = ("order.paid", "order.shipped", "order.returned")


class AnsweredBadly(Exception):
    """A server has answered, and not with 200."""


def declare(app: Ferryman, around: Surroundings) -> list[Order]:
    """Declare the types of the queue; gives what comes up for it."""
    wire = Wire(around)

    @app.job_with_context(
        queue="webhooks",
        max_attempts=4,
        timeout=15,
        retry=[3, 15, 60],
        per_key=PerKey("host", concurrency=2, rate=4, burst=8),
    )
    async def deliver_webhook(
        ctx: Context, host: str, event: str, body: dict[str, Any], signing_key: Secret[str]
    ) -> dict[str, object]:
        """Tell another server what has happened."""
        status, text = await wire.post(host, f"/{event}", body, signing_key)
        ctx.log.info("%s answered %d: %s", host, status, text)
        if status == 429:
            raise Retry(10)
        if status != 200:
            raise AnsweredBadly(f"POST https://{host}/{event} answered {status}, request {uuid.UUID(ctx.job.id)}")
        return {"status": status, "answer": json.loads(text)}

    def next_webhook(dice: random.Random) -> Call[dict[str, object]]:
        who = customer(dice)
        body = {"order": number(dice), "customer": {"name": who.name, "mail": who.mail}, "shop": who.shop}
        host, event = dice.choices(HOSTS, (4, 3, 3, 1))[0], dice.choice(EVENTS)
        return deliver_webhook.call(host, event, body, Secret("whsec_c2hhcmVk")).options(tags=["webhook", event])

    return [Order(10, next_webhook)]


class Wire:
    """The way to other people's servers."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def post(self, host: str, path: str, body: dict[str, Any], key: Secret[str]) -> tuple[int, str]:
        """Send a body; gives the status and the text of the answer. Raises OSError."""
        await self._connect(host)
        return await self._ask(host, json.dumps([path, body, len(key.reveal())]))

    async def _connect(self, host: str) -> None:
        await self._around.rest(0.05)
        if host.startswith("old.") and self._around.happens(0.25):
            raise ConnectionRefusedError(111, f"Connect call failed ('10.0.{self._around.dice.randrange(9)}.7', 443)")

    async def _ask(self, host: str, data: str) -> tuple[int, str]:
        await self._around.rest(0.2)
        if host.startswith("api.") and self._around.happens(0.1):
            return 200, "<html><body>Welcome, please sign in</body></html>"
        status = 200 if self._around.happens(0.93) else self._around.dice.choice((429, 500, 503))
        return status, json.dumps({"ok": status == 200, "bytes": len(data)})
