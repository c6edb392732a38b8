"""A supervisor and its node processes: what `ferryman serve` or `work --processes 2` runs, over a watched store.

    python -m tests.chaos.supervised NAME FOLDER serve|work

The supervisor starts its node processes as `python -m tests.chaos.supervised NAME FOLDER node --report-to N`. It is
told where to die on its standard input, as `tests.chaos.node` is; they read orders of their own.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path
from unittest import mock

from ferryman import building, program
from ferryman.settings import load
from ferryman.supervise.role import Role
from ferryman.testing.history.entries import Spawned, Stopped
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.marked import MARK
from tests.chaos.node import WatchedServer
from tests.chaos.orders import Orders
from tests.chaos.target import Noted, make_app
from tests.chaos.triggers import Triggers
from tests.chaos.watched import MakeStore

NODE = "node"


def supervise(name: str, folder: Path, command: str) -> int:
    """Be the parent, until a signal or a death."""
    journal = Journal(folder, name)
    triggers = Triggers(journal)
    os.environ[MARK] = mark_of(folder, name)
    threading.Thread(target=triggers.listen, args=(sys.stdin,), daemon=True).start()
    child = (sys.executable, "-m", "tests.chaos.supervised", name, str(folder), NODE)
    return _run(journal, triggers, folder, Role(http=command == "serve", command=child), {})


def work(parent: str, folder: Path, report_to: int) -> int:
    """Be one of its node processes; nobody else can say when it begins and how it ends."""
    name = f"{parent}-{os.getpid()}"
    journal = Journal(folder, name)
    journal.note(Spawned, by=NEMESIS, process=name)
    orders = Orders(journal, folder)
    orders.reach("process started")
    threading.Thread(target=orders.follow, daemon=True).start()
    code = _run(journal, orders, folder, Role(http=False, report_to=report_to), {"processes": "0"})
    journal.note(Stopped, by=NEMESIS, process=name, code=code, unwritten=int(code == 1))
    return code


def mark_of(folder: Path, name: str) -> str:
    """What tells the kin of a supervisor from all other processes."""
    return f"{folder}/{name}"


def _run(journal: Journal, triggers: Triggers, folder: Path, role: Role, flags: dict[str, str]) -> int:
    app = make_app(Noted(journal, triggers))
    settings = load(flags, os.environ, folder, app.overrides).settings
    with (
        mock.patch.object(building, "make_store", MakeStore(journal, triggers)),
        mock.patch.object(program, "Server", partial(WatchedServer, journal)),
    ):
        return program.run(settings, app.registry, role, attach=app.attach)


def _main(name: str, folder: str, command: str, *flags: str) -> int:
    if command == NODE:
        return work(name, Path(folder), int(flags[1]))
    return supervise(name, Path(folder), command)


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
