"""Fill a store with the stock, in a process of its own: `python -m tests.browser.filling URL` prints its names as JSON.

The store has its tables already. The node that runs the jobs has ended afterwards; another one takes over what it left.
"""

from __future__ import annotations

import json
import sys

from ferryman.main import Server
from ferryman.program import new_event_loop
from ferryman.settings import Settings
from ferryman.supervise.role import Role
from tests.browser.hostile import TEXTS
from tests.browser.stock import Stock
from tests.browser.stock_jobs import app


async def fill(database_url: str) -> dict[str, str]:
    """What the stock has put there, by name."""
    server = Server(Settings(database_url=database_url, stop_deadline=0.0), app.registry, Role(http=False))
    await server.start()
    try:
        stock = Stock(server.client, TEXTS)
        await stock.fill()
        return stock.names
    finally:
        await server.stop()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(new_event_loop().run_until_complete(fill(sys.argv[1]))))
