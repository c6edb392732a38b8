"""A process that only enqueues, through the Python API: its own way into the file, beside the nodes.

python -m tests.chaos.producer NAME FOLDER
"""

from __future__ import annotations

import itertools
import random
import signal
import sys
import threading
from pathlib import Path
from unittest import mock

from ferryman import Ferryman, connecting
from ferryman.domain.errors import EnqueueError, StoreError
from ferryman.testing.history.entries import Answered, Asked, Stopping, Verdict
from tests.chaos.clients import Wanted
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.target import ATTEMPTS
from tests.chaos.triggers import Triggers
from tests.chaos.watched import MakeStore

PAUSE = 0.2
"""Most seconds between two enqueues."""


def produce(name: str, folder: Path) -> int:
    """Enqueue until SIGTERM, or until the campaign says where to die."""
    journal, ending = Journal(folder, name), threading.Event()
    triggers = Triggers(journal)
    signal.signal(signal.SIGTERM, lambda _number, _frame: ending.set())
    threading.Thread(target=triggers.listen, args=(sys.stdin,), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with mock.patch.object(connecting, "make_store", MakeStore(journal, triggers)), Ferryman() as ferryman:

        @ferryman.job(max_attempts=ATTEMPTS)
        async def nap(seconds: float) -> int:
            """Declared here, run by the nodes."""
            raise NotImplementedError

        for count in itertools.count(1):
            if ending.wait(random.uniform(0, PAUSE)):
                break
            request = f"{name}-{count}"
            call = nap.call(random.choice([0.0, 0.01, 0.1])).options(idempotency_key=request)
            wanted = Wanted("nap")
            journal.note(Asked, request=request, job=None, **wanted.asked)
            verdict: Verdict = "unknown"
            job, code = None, None
            while verdict == "unknown" and not ending.is_set():
                try:
                    job, verdict, code = call.enqueue().id, "accepted", None
                except EnqueueError as error:
                    verdict, code = "refused", error.code
                except StoreError as error:  # it may be stored all the same: ask again under the same key
                    code = error.code
                    ending.wait(0.05)
            journal.note(Answered, request=request, job=job, verdict=verdict, code=code)
        journal.note(Stopping, by=NEMESIS, process=name)
    return 0


if __name__ == "__main__":
    sys.exit(produce(sys.argv[1], Path(sys.argv[2])))
