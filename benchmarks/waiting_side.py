"""The processes of `waiting.py`: one that answers, and one that runs jobs where the first one does not.

python -m benchmarks.waiting_side URL answers|works|both
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from ferryman import Ferryman
from ferryman.main import Server
from ferryman.program import SWITCH_INTERVAL, new_event_loop, serve
from ferryman.settings import load
from ferryman.supervise.role import Role

QUEUE: Final = "waited"
ASKED: Final = 0
"""The descriptor on which somebody asks how often the watcher has looked."""

jobs = Ferryman()


@jobs.job(queue=QUEUE)
async def nap(seconds: float) -> None:
    """Somebody waits for the end of it."""
    await asyncio.sleep(seconds)


def ready(server: Server) -> None:
    """Say where it answers, and then, for each line that comes in, how often its watcher has looked."""

    def told() -> None:
        if not os.read(ASKED, 4096):
            loop.remove_reader(ASKED)
        print(server.client.watcher.looks, flush=True)

    loop = asyncio.get_running_loop()
    loop.add_reader(ASKED, told)
    print(server.url, flush=True)


def main() -> int:
    """Serve until SIGTERM."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    _, url, part = sys.argv
    app = Ferryman() if part == "answers" else jobs
    given = {"database_url": url, "port": 0, "worker_count": 50, "log_level": "warning"}
    settings = load({}, {}, Path.cwd(), given).settings
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        role = Role(http=part != "works")
        return runner.run(serve(settings, app.registry, role, ready=ready, attach=app.attach))


if __name__ == "__main__":
    sys.exit(main())
