"""The memory store of the kit: every verb that a test's threads may say at one time takes its turn."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any

import pytest

from ferryman.domain.bulk import BulkAction
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.series import Period, Which
from ferryman.store.bulk import BulkOperation, Wish
from ferryman.store.controlling import Placement
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import AuditFilter, GroupFilter, JobFilter, NodeInfo, Retention
from ferryman.testing.clock import ManualClock
from ferryman.testing.kit.store import SharedStore, at_once

JOB = NewJob("00000000-0000-7000-8000-000000000000", "send", "{}", 0)
WISH = Wish(action=BulkAction.CANCEL, filter="type:send", by="python", created_at=0)
OPERATION = BulkOperation(id="01890a5d-ac96-774b-bcce-b302099a8058", wish=WISH)


async def advance(store: SharedStore) -> None:
    """A portion that cancels the job."""
    await MemoryStore.add_operation(store, OPERATION)
    page = await MemoryStore.list(store, OPERATION.search(), 0)
    assert page
    await store.advance(OPERATION, OPERATION.portion(page, 0), 0)


class Turn:
    """A lock that counts."""

    def __init__(self) -> None:
        self.taken = 0
        self._lock = Lock()

    def __enter__(self) -> None:
        assert self._lock.acquire(blocking=False)
        self.taken += 1

    def __exit__(self, *_: object) -> None:
        self._lock.release()


Verb = Callable[[SharedStore, int], Coroutine[Any, Any, Any]]

VERBS: dict[str, Verb] = {
    "handed_in": lambda store, node: store.handed_in(),
    "insert": lambda store, node: store.insert([JOB], 0),
    "claim": lambda store, node: store.claim(
        ClaimRequest(node, 1, frozenset({"send"}), None, limit=1, idle=1, alone=True), 0
    ),
    "versions": lambda store, node: store.versions([JOB.id], 0),
    "journal": lambda store, node: store.journal(None, 0),
    "finish": lambda store, node: store.finish(node, [], 0),
    "cancellations": lambda store, node: store.cancellations(node),
    "cancel": lambda store, node: store.cancel(JOB.id, 0),
    "retry": lambda store, node: store.retry(JOB.id, 0),
    "place": lambda store, node: store.place([JOB.id], Placement(priority=1), 0),
    "cancel_waiting": lambda store, node: store.cancel_waiting([JOB.id], 0),
    "delete": lambda store, node: store.delete(JOB.id, 0),
    "get": lambda store, node: store.get(JOB.id, 0),
    "list": lambda store, node: store.list(JobFilter(), 0),
    "attempts": lambda store, node: store.attempts(JOB.id),
    "report": lambda store, node: store.report(node, []),
    "progress": lambda store, node: store.progress(JOB.id),
    "logs": lambda store, node: store.logs(JOB.id),
    "counts": lambda store, node: store.counts(0),
    "rules": lambda store, node: store.rules(),
    "pause": lambda store, node: store.pause(Scope.QUEUE, "q", True),
    "limit": lambda store, node: store.limit(Scope.QUEUE, "q", Limit(1)),
    "promote": lambda store, node: store.promote(0, 1),
    "expire": lambda store, node: store.expire(0, 1),
    "prune": lambda store, node: store.prune(0, 1),
    "admit": lambda store, node: store.admit(0, 1),
    "keys": lambda store, node: store.keys(None, 1),
    "key": lambda store, node: store.key("k"),
    "set_key": lambda store, node: store.set_key("k", None, 0),
    "pause_key": lambda store, node: store.pause_key("k", True, 0),
    "pass_key": lambda store, node: store.pass_key("k", 0),
    "sample": lambda store, node: store.sample(0, node, []),
    "sampled": lambda store, node: store.sampled(Period(0, 1, 1), Which()),
    "add_operation": lambda store, node: store.add_operation(OPERATION),
    "operation": lambda store, node: store.operation(OPERATION.id),
    "operations": lambda store, node: store.operations(None, 1),
    "running_operations": lambda store, node: store.running_operations(1),
    "advance": lambda store, node: advance(store),
    "cancel_operation": lambda store, node: store.cancel_operation(OPERATION.id, 0),
    "error_groups": lambda store, node: store.error_groups(GroupFilter(), 0),
    "audit": lambda store, node: store.audit(AuditFilter(), None, 1),
}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_takes_its_turn(name: str) -> None:
    clock = ManualClock()
    store = SharedStore(clock, IdMinter(random.Random(0)), Retention(1, 1, 1))
    node = at_once(store.register(NodeInfo("n", "localhost", 0, "", frozenset({"send"}), None, 1), 0))
    at_once(store.insert([JOB], 0))
    turn = Turn()
    store._turn = turn  # type: ignore[assignment]
    at_once(VERBS[name](store, node))
    assert turn.taken == 1


def test_every_verb_that_takes_its_turn_is_tested() -> None:
    assert {name for name in vars(SharedStore) if not name.startswith("_")} == set(VERBS)


def test_a_verb_that_waits_would_be_told() -> None:
    class Waiting:
        def __await__(self) -> Any:
            yield

    async def wait() -> None:
        await Waiting()

    with pytest.raises(AssertionError, match="waited"):
        at_once(wait())
