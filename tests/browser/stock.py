"""A store with one of everything, put there through a client, while a node runs the jobs of `stock_jobs`.

Hostile texts are an argument: they stand wherever somebody may write a text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from itertools import islice
from typing import Any, Final

import msgspec

from ferryman.client import Client, JobRequest
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.cron import Cron
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.state import Status
from tests.browser import payloads
from tests.browser.stock_jobs import LONG_TYPE

PATIENCE: Final = 60.0
"""Seconds after which a job counts as lost."""
DAY: Final = 86_400.0
HUGE: Final = 10 * 1024 * 1024
LONG_QUEUE: Final = "q" * 128
LONG_TAGS: Final = tuple(f"{number:02}{'g' * 62}" for number in range(20))
LONG_KEY: Final = "k" * 200
LONG_UNIQUE_KEY: Final = "u" * 256
LONG_ACTOR: Final = "a" * 128
PAUSED: Final = "paused"
ANSI: Final = "\x1b[1;31mred\x1b[0m \x1b]8;;http://elsewhere.test/\x1b\\link\x1b]8;;\x1b\\ \x1b[2J\x1b[H bell\x07"
"""A terminal would obey it."""


class Stock:
    """Fills a store; afterwards `names` has what was put there, by what it is."""

    def __init__(self, client: Client, texts: Mapping[str, str]) -> None:
        """`texts` are hostile ones, by what is bad about them."""
        self._client = client
        self._texts = {name: text for name, text in texts.items() if text}
        self.names: dict[str, str] = {}
        """Ids of jobs; of an operation, too."""

    async def fill(self) -> None:
        """Put everything there, in an order in which nothing that is under way is in the way."""
        for step in (self._ended, self._failed, self._long, self._waiting, self._ruled):
            await step()

    async def _ended(self) -> None:
        shapes = {
            "exact": payloads.exact(),
            "members": payloads.members(),
            "deepest": payloads.deepest(),
            "largest": payloads.largest(),
            "longest word": payloads.longest_word(),
            "widest": payloads.widest(),
            "texts": _json({"texts": self._texts, **{text: name for name, text in self._texts.items()}}),
        }
        for name, payload in shapes.items():
            await self._end(name, "keep", payload)
        await self._end("secretive", "know_a_secret", _json({"token": "sesame-open", "note": "<i>no token</i>"}))
        await self._end("ended by itself", "end_by_itself", _json({"reason": self._some_text()}))
        logged = [ANSI, *self._texts.values()]
        await self._end("logged", "say", _json({"texts": logged}))
        await self._end("logged too much", "say", _json({"texts": logged, "lines": 1000}))

    async def _failed(self) -> None:
        for name, text in self._texts.items():
            await self._end(f"failed: {name}", "fail", _json({"text": text}))
        await self._end("failed at length", "fail", _json({"characters": HUGE}))
        await self._end("failed again", "fail_again", _json({"text": self._some_text()}))
        await self._end("timed out", "take_too_long")
        await self._client.retry(await self._end("retried", "fail", _json({"text": "again"})), by=LONG_ACTOR)

    async def _long(self) -> None:
        """Names at their longest, and texts for names."""
        await self._end("longest names", LONG_TYPE, queue=LONG_QUEUE, tags=LONG_TAGS, key=LONG_KEY)
        await self._add("longest unique key", LONG_TYPE, unique_key=LONG_UNIQUE_KEY, delay=DAY)
        tags = tuple(islice((text[:64] for text in self._texts.values()), 20))
        await self._end("hostile tags", "keep", tags=tags)
        for name, text in self._texts.items():
            await self._end(f"keyed: {name}", "keep", key=text[:200])
            await self._add(f"unique: {name}", "keep", unique_key=text[:256], delay=DAY)

    async def _waiting(self) -> None:
        """One in each status that is no end."""
        account = self._some_text()[:200]
        await self._end("holds others up", "in_order", _json({"account": account}))
        await self._add("waiting", "in_order", _json({"account": account}))
        await self._add("scheduled", "keep", delay=DAY)
        await self._client.rules.pause(Scope.QUEUE, PAUSED, by=LONG_ACTOR)
        await self._add("pending", "keep", queue=PAUSED)
        await self._client.cancel(await self._add("cancelled", "keep", queue=PAUSED), by="anna <b>bold</b>")
        await self._reach("processing", Status.PROCESSING, "hold")
        await self._reach("snoozed", Status.SCHEDULED, "come_later", _json({"seconds": DAY}))
        await self._reach("tried again", Status.SCHEDULED, "come_later", _json({"seconds": DAY, "retry": True}))

    async def _ruled(self) -> None:
        """Rules, keys, a schedule of a hostile payload, an operation."""
        client, text = self._client, self._some_text()
        await client.rules.limit(Scope.QUEUE, LONG_QUEUE, Limit(concurrency=3, rate=0.5, burst=7), by=LONG_ACTOR)
        await client.rules.limit(Scope.TYPE, LONG_TYPE, Limit(rate=1 / 3600))
        await client.keys.set(LONG_KEY, GateRule(concurrency=2, rate=0.25, burst=4, share=9))
        await client.keys.pause(text[:200])
        request = JobRequest("keep", _json({"text": text}), tags=(text[:64],))
        await client.schedules.put(ScheduleRequest("s" * 128, Cron("15 2 29 2 *", "Asia/Kathmandu"), request))
        operation = await client.operations.start("cancel", "tag:nobody", by=LONG_ACTOR)
        self.names["operation"] = operation.id

    def _some_text(self) -> str:
        return next(iter(self._texts.values()))

    async def _add(self, name: str, type: str, payload: str = "{}", **options: Any) -> str:
        accepted = await self._client.enqueue(JobRequest(type, payload, **options))
        self.names[name] = accepted.id
        return accepted.id

    async def _end(self, name: str, type: str, payload: str = "{}", **options: Any) -> str:
        id = await self._add(name, type, payload, **options)
        await self._client.wait(id, PATIENCE)
        return id

    async def _reach(self, name: str, status: Status, type: str, payload: str = "{}") -> None:
        id = await self._add(name, type, payload)
        async with asyncio.timeout(PATIENCE), aclosing(self._client.waiting.follow(id)) as seen:
            async for job in seen:
                if job is not None and job.status is status:
                    return


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
