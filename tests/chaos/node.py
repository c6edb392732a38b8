"""One node as its own process: what `ferryman serve` runs, over a store that keeps a journal.

    python -m tests.chaos.node NAME FOLDER [fence]

Everything is built as `ferryman.main` does it; two names are replaced: the store is watched, and the
server notes when its stop begins.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from ferryman import building, main, program
from ferryman.settings import load
from ferryman.testing.history.entries import Stopping
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.postgres.unfenced import broken_fence as broken_on_postgres
from tests.chaos.target import Noted, make_app
from tests.chaos.triggers import Triggers
from tests.chaos.unfenced import broken_fence
from tests.chaos.watched import MakeStore


class WatchedServer(main.Server):
    """Notes that its stop begins. Its node goes on claiming until HTTP has ended, so the note is not in its own name,
    by which the checker would hold it to claiming nothing more."""

    def __init__(self, journal: Journal, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._journal = journal

    async def stop(self) -> int:
        """See `Server.stop`."""
        self._journal.note(Stopping, by=NEMESIS, process=self._journal.name)
        return await super().stop()


def serve(name: str, folder: Path, *breakages: str) -> int:
    """Serve until a signal, or until the campaign says where to die."""
    journal = Journal(folder, name)
    triggers = Triggers(journal)
    app = make_app(Noted(journal, triggers))
    threading.Thread(target=triggers.listen, args=(sys.stdin,), daemon=True).start()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(building, "make_store", MakeStore(journal, triggers)))
        stack.enter_context(mock.patch.object(program, "Server", partial(WatchedServer, journal)))
        if "fence" in breakages:
            stack.enter_context(broken_fence())
            stack.enter_context(broken_on_postgres())
        return program.run(load({}, os.environ, folder, app.overrides).settings, app.registry, attach=app.attach)


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
