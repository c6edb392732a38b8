"""Random sequences of verbs on a store and on the memory store: both must look the same after every step.

What no store promises is left out of the sequences: in which order jobs of *different* lanes arrive that one call
makes pending. So here each priority has one lane.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import ClassVar, Final, TypeVar

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, Idempotency, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.store.protocol import FinishReport, NodeInfo, Store
from ferryman.testing.conformance.bench import TYPES
from ferryman.testing.conformance.harness import Harness
from ferryman.testing.conformance.pair import Pair, SayAs, Twin

T = TypeVar("T")
LANES: Final = {1: ("a", "echo"), 5: ("b", "mail"), 9: ("a", "mail")}
"""priority -> (queue, type)"""
ANY: Final = st.integers(0, 1_000_000)
"""Picks one of a list whose length is known only while the sequence runs."""
SECONDS: Final = st.sampled_from([0, 1, 5, 60, 150])
KEYS: Final = st.tuples(st.sampled_from([None, None, "k", "l"]), st.sampled_from([None, None, "k", "l"]))
"""(unique key, idempotency key)"""
FollowUp = tuple[int, int | None, tuple[str | None, str | None]]
"""(priority, delay, keys)"""


class StoreMachine(RuleBasedStateMachine):
    """Says every verb to both stores."""

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

    # -- jobs ------------------------------------------------------------------------------------

    @rule(
        priority=st.sampled_from(sorted(LANES)),
        count=st.integers(1, 3),
        delay=st.none() | SECONDS,
        max_attempts=st.integers(1, 3),
        expiry=st.none() | SECONDS,
        keys=KEYS,
        bound=st.sampled_from([0, 0, 0, 3]),
        claim=st.none() | ANY,
    )
    def insert(
        self,
        priority: int,
        count: int,
        delay: int | None,
        max_attempts: int,
        expiry: int | None,
        keys: tuple[str | None, str | None],
        bound: int,
        claim: int | None,
    ) -> None:
        """Hand jobs in, maybe with a claim."""
        now = self.clock.now()
        unique, promise = keys
        jobs = [
            NewJob(
                id=self.ids.mint(now),
                type=LANES[priority][1],
                payload=f'{{"job":{len(self.jobs) + each}}}',
                created_at=now,
                queue=LANES[priority][0],
                priority=priority,
                max_attempts=max_attempts,
                run_at=None if delay is None else now + delay * MICROS,
                expires_at=None if expiry is None else now + expiry * MICROS,
                unique_key=unique,
                tags=(f"tag{each}",),
                idempotency=None if promise is None else Idempotency(promise, f"hash{count}", now + 30 * MICROS),
            )
            for each in range(count)
        ]
        self.jobs += jobs
        if claim is None:
            self.both(lambda store: store.insert(jobs, now, max_pending=bound))
            return
        node, batch = pick(self.living, claim), self.next_batch()
        inserted = self.both_as(
            node,
            lambda store, number: store.insert(
                jobs, now, claim=ClaimRequest(number, batch, TYPES, None, 2, 2, True), max_pending=bound
            ),
        )
        assert inserted.batch is not None
        self.claimed += [(job, node) for job in inserted.batch.jobs]

    @precondition(lambda self: self.jobs)
    @rule(which=ANY)
    def insert_again(self, which: int) -> None:
        """The same enqueue, said twice."""
        job = pick(self.jobs, which)
        self.both(lambda store: store.insert([job], self.clock.now()))

    @rule(
        which=ANY,
        types=st.sampled_from([TYPES, TYPES, frozenset({"echo"}), frozenset({"mail"})]),
        queues=st.sampled_from([None, None, frozenset({"a"}), frozenset({"b", "never"})]),
        limit=st.integers(0, 4),
        idle=st.integers(0, 3),
        alone=st.booleans(),
    )
    def claim(
        self,
        which: int,
        types: frozenset[str],
        queues: frozenset[str] | None,
        limit: int,
        idle: int,
        alone: bool,
    ) -> None:
        """A node asks for jobs."""
        node, batch = pick(self.living, which), self.next_batch()

        async def say(store: Store, number: int) -> Batch:
            return await store.claim(ClaimRequest(number, batch, types, queues, limit, idle, alone), self.clock.now())

        self.claims.append((node, say))
        self.say_claim(node, say)

    @precondition(lambda self: any(node.alive for node, _ in self.claims))
    @rule(which=ANY)
    def claim_again(self, which: int) -> None:
        """A claim whose answer was lost."""
        self.say_claim(*pick([claim for claim in self.claims if claim[0].alive], which))

    def say_claim(self, node: Twin, say: SayAs[Batch]) -> None:
        """Say a claim, and keep what it gave."""
        self.claimed += [(job, node) for job in self.both_as(node, say).jobs]

    def next_batch(self) -> int:
        """Batch ids that grow, so that "by batch" and "by age" are the same order."""
        self.batches += 1
        return self.batches

    @precondition(lambda self: self.claimed)
    @rule(
        which=ANY,
        recent=st.booleans(),
        what=st.sampled_from(
            [What.DONE, What.FAILED, What.FAILED, What.SNOOZED, What.CANCELLED, What.RELEASED, What.INTERRUPTED]
        ),
        delay=SECONDS,
        retryable=st.booleans(),
        follow_ups=st.lists(st.tuples(st.sampled_from(sorted(LANES)), st.none() | SECONDS, KEYS), max_size=2),
    )
    def finish(
        self, which: int, recent: bool, what: What, delay: int, retryable: bool, follow_ups: list[FollowUp]
    ) -> None:
        """The end of a run, whether it is still open or not."""
        job, node = self.claimed[-1] if recent else pick(self.claimed, which)
        now = self.clock.now()
        brought = tuple(
            NewJob(
                id=self.ids.mint(now),
                type=LANES[priority][1],
                payload="{}",
                created_at=now,
                queue=LANES[priority][0],
                priority=priority,
                run_at=None if due is None else now + due * MICROS,
                unique_key=keys[0],
                idempotency=None if keys[1] is None else Idempotency(keys[1], "hash1", now + 30 * MICROS),
            )
            for priority, due, keys in follow_ups
        )
        self.jobs += brought
        outcome = Outcome(what, "1" if what is What.DONE else None, None, float(delay), retryable, brought)
        self.written.append((decide(job, outcome, Run(self.ids.number(), 2, now), now), node))
        self.say_finish(*self.written[-1])

    @precondition(lambda self: self.written)
    @rule(which=ANY)
    def finish_again(self, which: int) -> None:
        """A finish whose reply was lost."""
        self.say_finish(*pick(self.written, which))

    def say_finish(self, finish: Finish, node: Twin) -> None:
        """A write said again need not tell again what it made ready; everything else must be the same."""
        again = (finish.id, finish.number) in self.ended
        self.ended.add((finish.id, finish.number))
        self.both_as(node, lambda store, number: answer(store, number, finish, self.clock.now(), again=again))

    @precondition(lambda self: self.claimed)
    @rule(which=ANY)
    def release(self, which: int) -> None:
        """A whole batch goes back."""
        job, node = pick(self.claimed, which)
        self.both_as(node, lambda store, number: store.release(number, job.batch, self.clock.now()))

    @precondition(lambda self: self.jobs)
    @rule(which=ANY)
    def cancel(self, which: int) -> None:
        """A person cancels."""
        id = pick(self.jobs, which).id
        self.both(lambda store: store.cancel(id, self.clock.now()))

    @precondition(lambda self: self.jobs)
    @rule(which=ANY)
    def retry(self, which: int) -> None:
        """A person retries."""
        id = pick(self.jobs, which).id
        self.both(lambda store: store.retry(id, self.clock.now()))

    @rule(grace=SECONDS)
    def force_cancel(self, grace: int) -> None:
        """A grace ends."""
        self.both(lambda store: store.force_cancel(self.clock.now() - grace * MICROS, self.clock.now()))

    @rule(limit=st.integers(1, 4))
    def promote(self, limit: int) -> None:
        """The sweeper promotes."""
        self.both(lambda store: store.promote(self.clock.now(), limit))

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


async def answer(store: Store, node: int, finish: Finish, now: int, *, again: bool) -> FinishReport:
    """Say a finish; of one that may have been said before only what a store must tell each time."""
    report = await store.finish(node, [finish], now)
    return msgspec.structs.replace(report, readied=False, scheduled=None, superseded=frozenset()) if again else report


def pick(things: list[T], which: int) -> T:
    """One of a list."""
    return things[which % len(things)]


class Modelled:
    """The memory store is the model of every store."""

    examples: ClassVar[int] = 25
    steps: ClassVar[int] = 40

    def test_looks_like_the_model_whatever_is_said(self, make_harness: Callable[[], Harness]) -> None:
        class Machine(StoreMachine):
            """The machine of this store."""

            def __init__(self) -> None:
                super().__init__(make_harness)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=self.steps,
                deadline=None,
                derandomize=True,
                # opening a store takes its time
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
