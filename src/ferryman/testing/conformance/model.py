"""Random sequences of verbs on a store and on the memory store: both must look the same after every step.

What no store promises is left out of the sequences: in which order jobs of *different* lanes arrive that one call
makes pending. So here each priority has one lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.job import MICROS, Idempotency, NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.store.protocol import FinishReport, Inserted, Store
from ferryman.testing.conformance.bench import TYPES
from ferryman.testing.conformance.harness import Harness
from ferryman.testing.conformance.machine import ANY, GATES, SECONDS, BothStores, pick
from ferryman.testing.conformance.pair import SayAs, Twin

LANES: Final = {1: ("a", "echo"), 5: ("b", "mail"), 9: ("a", "mail")}
"""priority -> (queue, type)"""
KEYS: Final = st.tuples(st.sampled_from([None, None, "k", "l"]), st.sampled_from([None, None, "k", "l"]))
"""(unique key, idempotency key)"""
FollowUp = tuple[int, int | None, tuple[str | None, str | None], tuple[str | None, GateRule | None]]
"""(priority, delay, keys, gate)"""


class StoreMachine(BothStores):
    """Says every verb to both stores."""

    # -- jobs ------------------------------------------------------------------------------------

    @rule(
        priority=st.sampled_from(sorted(LANES)),
        count=st.integers(1, 3),
        delay=st.none() | SECONDS,
        max_attempts=st.integers(1, 3),
        expiry=st.none() | SECONDS,
        keys=KEYS,
        bound=st.sampled_from([0, 0, 0, 3]),
        gate=GATES,
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
        gate: tuple[str | None, GateRule | None],
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
                key=gate[0],
                gate=gate[1],
            )
            for each in range(count)
        ]
        self.jobs += jobs
        if claim is None:
            self.both(lambda store: store.insert(jobs, now, max_pending=bound))
            return
        node, batch = pick(self.living, claim), self.next_batch()

        async def say(store: Store, number: int) -> Inserted:
            request = ClaimRequest(number, batch, TYPES, None, 2, 2, True)
            inserted = await store.insert(jobs, now, claim=request, max_pending=bound)
            assert inserted.batch is not None
            return Inserted(inserted.receipts, _without_hint(inserted.batch))

        inserted = self.both_as(node, say)
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
        by_age=st.booleans(),
    )
    def claim(
        self,
        which: int,
        types: frozenset[str],
        queues: frozenset[str] | None,
        limit: int,
        idle: int,
        alone: bool,
        by_age: bool,
    ) -> None:
        """A node asks for jobs."""
        node, batch = pick(self.living, which), self.next_batch()

        async def say(store: Store, number: int) -> Batch:
            request = ClaimRequest(number, batch, types, queues, limit, idle, alone, by_age)
            return _without_hint(await store.claim(request, self.clock.now()))

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

    @rule(scope=st.sampled_from([*Scope]), name=st.sampled_from(["a", "b", "echo"]), paused=st.booleans())
    def pause(self, scope: Scope, name: str, paused: bool) -> None:
        """A queue or type is paused, or is not any more."""
        self.both(lambda store: store.pause(scope, name, paused))

    @rule(
        # of queues alone: a claim that is under the limits of a queue and of a type may take less than it might
        queue=st.sampled_from(["a", "b"]),
        concurrency=st.none() | st.integers(1, 3),
        rate=st.none() | st.sampled_from([0.5, 3]),
        burst=st.integers(1, 3),
    )
    def limit(self, queue: str, concurrency: int | None, rate: float | None, burst: int) -> None:
        """A queue gets another limit, or none."""
        self.both(lambda store: store.limit(Scope.QUEUE, queue, Limit(concurrency, rate, burst)))

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
        follow_ups=st.lists(st.tuples(st.sampled_from(sorted(LANES)), st.none() | SECONDS, KEYS, GATES), max_size=2),
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
                key=gate[0],
                gate=gate[1],
            )
            for priority, due, keys, gate in follow_ups
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


async def answer(store: Store, node: int, finish: Finish, now: int, *, again: bool) -> FinishReport:
    """Say a finish; of one that may have been said before only what a store must tell each time."""
    report = await store.finish(node, [finish], now)
    return msgspec.structs.replace(report, readied=False, scheduled=None, superseded=frozenset()) if again else report


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


def _without_hint(batch: Batch) -> Batch:
    """A batch but for what a store says of lanes: one that nobody stands in may be there or not."""
    return msgspec.structs.replace(batch, mixed=False)
