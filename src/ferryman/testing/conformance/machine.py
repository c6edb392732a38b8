"""Two stores to which the same is said, and what nodes, people and chores say to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ferryman.domain.claim import Batch
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, NewJob
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.outcome import Finish
from ferryman.store.controlling import Placement
from ferryman.store.protocol import NodeInfo
from ferryman.testing.conformance.bench import TYPES
from ferryman.testing.conformance.harness import Harness
from ferryman.testing.conformance.pair import Pair, SayAs, Twin

T = TypeVar("T")
ANY: Final = st.integers(0, 1_000_000)
"""Picks one of a list whose length is known only while the sequence runs."""
RULES: Final = st.sampled_from(
    [
        GateRule(),
        GateRule(concurrency=1),
        GateRule(concurrency=2),
        GateRule(strict=True),
        GateRule(strict=True, on_failure=OnFailure.PASS),
        GateRule(rate=0.5, burst=2),
        GateRule(rate=2.0, burst=1, concurrency=3),
    ]
)
GATES: Final = st.just((None, None)) | st.tuples(st.sampled_from(["a", "b"]), st.none() | RULES)
"""(key, rule)"""
SECONDS: Final = st.sampled_from([0, 1, 5, 60, 150])


class BothStores(RuleBasedStateMachine):
    """Both stores with their nodes, and every verb that is about no run."""

    def __init__(self, make_harness: Callable[[], Harness]) -> None:
        super().__init__()
        self.pair = Pair(make_harness())
        self.clock = self.pair.clock
        self.both, self.both_as = self.pair.both, self.pair.both_as
        self.ids = IdMinter(random.Random(2))
        self.nodes: list[Twin] = []
        self.jobs: list[NewJob] = []
        self.claims: list[tuple[Twin, SayAs[Batch]]] = []
        self.claimed: list[tuple[ClaimedJob, Twin]] = []
        self.written: list[tuple[Finish, Twin]] = []
        self.ended: set[tuple[str, int]] = set()
        """Runs (id, number) for which a finish was said."""
        self.batches = 0

    def teardown(self) -> None:
        """Close everything."""
        self.pair.close()

    # -- nodes -----------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """There is always a node."""
        self.register()

    @property
    def living(self) -> list[Twin]:
        """Nodes that have neither died nor retired."""
        return [node for node in self.nodes if node.alive]

    @precondition(lambda self: len(self.living) < 3)
    @rule()
    def register(self) -> None:
        """One more node."""
        info = NodeInfo(f"node-{len(self.nodes)}", "host", 1, "0.1.0", TYPES, None, 4)
        self.nodes.append(self.pair.register(info))

    @precondition(lambda self: len(self.living) > 1)
    @rule(which=ANY, kill=st.booleans())
    def lose(self, which: int, kill: bool) -> None:
        """A node dies, or retires with all that it holds; then somebody rescues."""
        node = pick(self.living, which)
        node.alive = False
        if kill:
            self.pair.kill(node)
        else:
            self.both_as(node, lambda store, number: store.retire(number, self.clock.now()))
        self.pair.rescue()

    @rule(seconds=SECONDS)
    def wait(self, seconds: int) -> None:
        """Time passes; the living beat."""
        self.clock.advance(seconds)
        for node in self.living:
            self.pair.beat(node)

    @precondition(lambda self: self.jobs)
    @rule(which=ANY)
    def cancel(self, which: int) -> None:
        """A person cancels."""
        id = pick(self.jobs, which).id
        self.both(lambda store: store.cancel(id, self.clock.now()))

    @precondition(lambda self: self.jobs)
    @rule(which=ANY, delay=st.none() | SECONDS)
    def retry(self, which: int, delay: int | None) -> None:
        """A person retries."""
        id = pick(self.jobs, which).id
        run_at = None if delay is None else self.clock.now() + delay * MICROS
        self.both(lambda store: store.retry(id, self.clock.now(), run_at))

    @precondition(lambda self: self.jobs)
    @rule(which=ANY, other=ANY, priority=st.none() | st.sampled_from([5, 9]), delay=st.none() | SECONDS)
    def place(self, which: int, other: int, priority: int | None, delay: int | None) -> None:
        """A person gives jobs another lane, or another time."""
        jobs = [pick(self.jobs, which), pick(self.jobs, other)]
        if any(job.type == "echo" for job in jobs):
            priority = None  # that type has one lane
        queue = None if priority is None else {5: "b", 9: "a"}[priority]
        run_at = None if delay is None else self.clock.now() + delay * MICROS
        placement = Placement(queue, priority, run_at)
        self.both(lambda store: store.place([job.id for job in jobs], placement, self.clock.now()))

    @precondition(lambda self: self.jobs)
    @rule(which=ANY, other=ANY)
    def cancel_waiting(self, which: int, other: int) -> None:
        """A person cancels what waits."""
        ids = [pick(self.jobs, which).id, pick(self.jobs, other).id]
        self.both(lambda store: store.cancel_waiting(ids, self.clock.now()))

    @rule(grace=SECONDS)
    def force_cancel(self, grace: int) -> None:
        """A grace ends."""
        self.both(lambda store: store.force_cancel(self.clock.now() - grace * MICROS, self.clock.now()))

    @rule(limit=st.integers(1, 4))
    def promote(self, limit: int) -> None:
        """The sweeper promotes."""
        self.both(lambda store: store.promote(self.clock.now(), limit))

    @rule()
    def admit(self) -> None:
        """The sweeper lets in."""
        self.both(lambda store: store.admit(self.clock.now(), 1_000))

    @rule(key=st.sampled_from(["a", "b"]), rule=st.none() | RULES)
    def set_key(self, key: str, rule: GateRule | None) -> None:
        """A person pins a rule, or unpins it."""
        self.both(lambda store: store.set_key(key, rule, self.clock.now()))

    @rule(key=st.sampled_from(["a", "b"]), paused=st.booleans())
    def pause_key(self, key: str, paused: bool) -> None:
        """A person pauses a key, or resumes it."""
        self.both(lambda store: store.pause_key(key, paused, self.clock.now()))

    @rule(key=st.sampled_from(["a", "b"]))
    def pass_key(self, key: str) -> None:
        """A person lets a sequence go on."""
        self.both(lambda store: store.pass_key(key, self.clock.now()))

    @rule()
    def expire(self) -> None:
        """The sweeper expires."""
        self.both(lambda store: store.expire(self.clock.now(), 1_000))

    @rule()
    def prune(self) -> None:
        """The sweeper prunes."""
        self.both(lambda store: store.prune(self.clock.now(), 1_000))

    # -- looking ---------------------------------------------------------------------------------

    @invariant()
    def both_look_the_same(self) -> None:
        """After every step."""
        self.pair.compare(self.nodes)


def pick(things: list[T], which: int) -> T:
    """One of a list."""
    return things[which % len(things)]
