"""The demonstration as a process runs it: the shop, its load, and the word to stop."""

from __future__ import annotations

import asyncio
import random
import time

from ferryman.client import Client
from ferryman.demo.load import Load
from ferryman.demo.shop import Shop
from ferryman.demo.surroundings import Surroundings


class Live:
    """A shop that is busy from the moment when its app has a client until that is gone."""

    def __init__(self, rate: float, seed: int) -> None:
        """`rate` is how many jobs come up a second; shops of one seed are alike."""
        shop = Shop(Surroundings(random.Random(seed), rest=asyncio.sleep, block=time.sleep))
        self.app = shop.app
        self.load = Load(shop, rate, asyncio.sleep)
        self._busy: asyncio.Task[None] | None = None

    def attach(self, client: Client | None) -> None:
        """Take the client of a process, on its loop; None is the end of it."""
        self.app.attach(client)
        busy, self._busy = self._busy, None
        if busy is not None:
            busy.cancel()
        if client is not None:
            self._busy = asyncio.get_running_loop().create_task(self.load.run(client))
