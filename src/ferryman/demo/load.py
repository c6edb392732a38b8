"""What keeps the shop busy: customers who order without end, and people who look after its jobs now and then."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from ferryman.client import Client
from ferryman.demo.order import Order
from ferryman.demo.shop import Shop
from ferryman.demo.surroundings import HASTE
from ferryman.domain.errors import FerrymanError
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.state import Status

log: Final = logging.getLogger("ferryman.demo")

HISTORY: Final = 400
"""So many jobs have been when somebody looks for the first time."""
LOOK: Final = 0.2
"""Seconds between two looks whether these have been."""
LOOKS: Final = 100
ROUND: Final = 20.0
"""Seconds between two deeds of an operator."""
PEOPLE: Final = ("anna", "ben", "chidi")
PAUSED: Final = ("reports", "images", "webhooks")
"""Queues that are paused now and then."""
RETRIED: Final = ("mail", "images", "billing")
"""Queues whose failed jobs are tried again all at once now and then."""
UNDER_WAY: Final = (Status.PENDING, Status.PROCESSING)


class Load:
    """Orders at a rate, and operators; all by the shop's own chance."""

    def __init__(self, shop: Shop, rate: float, rest: Callable[[float], Awaitable[None]]) -> None:
        """`rate` is how many jobs come up a second; `rest` lets seconds pass."""
        self._shop = shop
        self._rate = rate
        self._rest = rest
        self._dice: random.Random = shop.around.dice

    async def run(self, client: Client) -> None:
        """Make some history where there is none, then go on until this is cancelled."""
        await self._prepare(client)
        if (await client.counts()).totals["created"] < HISTORY:
            await self.history(client)
        await self._retry_all(client, PEOPLE[2])
        for kept in await client.schedules.list():
            await client.schedules.run(kept.schedule.name, by=PEOPLE[2])
        await asyncio.gather(self._for_ever(self._order, client), self._for_ever(self._look_after, client))

    async def history(self, client: Client, count: int = HISTORY) -> None:
        """Run so many jobs in haste, at least one of each kind."""
        self._shop.around.pace = HASTE
        await self._enqueue(client, [*self._shop.orders, *self._choose(count - len(self._shop.orders))])
        for _ in range(LOOKS):
            standing = (await client.counts()).standing
            if not any(number for (_, status), number in standing.items() if status in UNDER_WAY):
                break
            await self._rest(LOOK)
        self._shop.around.pace = 1.0

    async def _prepare(self, client: Client) -> None:
        """Set the limits of the shop; a queue may be paused still where a demonstration ended meanwhile."""
        for queue in PAUSED:
            await client.rules.resume(Scope.QUEUE, queue, by=PEOPLE[0])
        await client.rules.limit(Scope.QUEUE, "webhooks", Limit(8), by=PEOPLE[0])
        await client.rules.limit(Scope.TYPE, "transcode_video", Limit(3), by=PEOPLE[0])
        await client.rules.limit(Scope.QUEUE, "mail", Limit(rate=200, burst=200), by=PEOPLE[1])
        await client.keys.set("lantern", GateRule(concurrency=2, share=2), by=PEOPLE[1])

    async def _for_ever(self, step: Callable[[Client], Awaitable[None]], client: Client) -> None:
        """What a store refuses, or cannot do now, is no reason to end."""
        while True:
            try:
                await step(client)
            except FerrymanError as error:
                log.warning("%s", error, extra={"event": "demo_refused"})
                await self._rest(1.0)

    # -- customers -------------------------------------------------------------------------------

    async def _order(self, client: Client) -> None:
        """Orders come independently of each other: the time between two is random."""
        await self._rest(self._dice.expovariate(self._rate))
        await self._enqueue(client, self._choose(1))

    def _choose(self, count: int) -> Sequence[Order]:
        orders = self._shop.orders
        return self._dice.choices(orders, [order.weight for order in orders], k=max(0, count))

    async def _enqueue(self, client: Client, orders: Iterable[Order]) -> None:
        await client.enqueue_many(order.call(self._dice).request for order in orders)

    # -- operators -------------------------------------------------------------------------------

    async def _look_after(self, client: Client) -> None:
        """One deed of somebody, now and then."""
        await self._rest(self._dice.expovariate(1 / ROUND))
        deed = self._dice.choice((self._pause, self._cancel, self._retry, self._retry_all))
        await deed(client, self._dice.choice(PEOPLE))

    async def _pause(self, client: Client, who: str) -> None:
        queue = self._dice.choice(PAUSED)
        await client.rules.pause(Scope.QUEUE, queue, by=who)
        await self._rest(self._dice.uniform(5, 20))
        await client.rules.resume(Scope.QUEUE, queue, by=who)

    async def _cancel(self, client: Client, who: str) -> None:
        await self._one(client, "status:processing type:transcode_video", lambda id: client.cancel(id, by=who))

    async def _retry(self, client: Client, who: str) -> None:
        await self._one(client, "status:failed", lambda id: client.retry(id, by=who))

    async def _retry_all(self, client: Client, who: str) -> None:
        """Most of them fail again: nothing was mended. What has failed earlier than that was given up."""
        queue = self._dice.choice(RETRIED)
        await client.operations.start("retry", f"status:failed queue:{queue} finished:<5m", rate="2/s", by=who)

    async def _one(self, client: Client, filter: str, deed: Callable[[str], Awaitable[Any]]) -> None:
        """Do it to the newest job that a filter means, if there is one."""
        wanted = msgspec.structs.replace(client.read_filter(filter), newest_first=True, limit=1)
        for job in await client.list(wanted):
            await deed(job.id)
