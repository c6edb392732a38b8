"""What a portion on PostgreSQL does about a run that ends between its look and its grasp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferryman.domain.state import Status
from ferryman.store.bulk import Pick
from ferryman.store.postgres.bulk import _cancel_jobs
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.steps import Steps
from ferryman.store.protocol import Retention
from ferryman.store.watching import Version

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
RUNS = (7, "processing", 1, 1, 3, None, None, None, None)
"""lane, status, number, attempt, max_attempts, unique_key, expires_at, ended_at, key"""


def driven(steps: Steps[Any], answers: dict[str, Sequence[Any]]) -> tuple[list[str], Any]:
    """The statements that steps ask for, each answered by its name, and what they give."""
    asked: list[str] = []
    try:
        ask = next(steps)
        while True:
            asked.append(ask.statement)
            ask = steps.send(answers.get(ask.statement, ()))
    except StopIteration as end:
        return asked, end.value


def test_what_was_done_to_it_is_taken_back() -> None:
    pick = Pick(ID, Version(Status.PROCESSING, 1, "default", 5, None))
    gone: dict[str, Sequence[Any]] = {"standing": [RUNS], "versions": []}
    asked, done = driven(_cancel_jobs(Lanes(), [pick], 0, Retention(1, 1, 1)), gone)
    assert (list(done.changed), list(done.keys)) == ([], [])
    assert (asked[-4:], "ask_cancel" in asked) == (["savepoint", "standing", "versions", "to_savepoint"], False)


def test_one_that_runs_on_is_asked_to_end() -> None:
    pick = Pick(ID, Version(Status.PROCESSING, 1, "default", 5, None))
    there: dict[str, Sequence[Any]] = {
        "standing": [RUNS],
        "versions": [(ID, "processing", 1, "default", 5, None)],
        "ask_cancel": [("node", True)],
    }
    asked, done = driven(_cancel_jobs(Lanes(), [pick], 0, Retention(1, 1, 1)), there)
    assert (list(done.changed), asked[-1]) == ([ID], "ask_cancel")
