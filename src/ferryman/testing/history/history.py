"""A history with the final state of the store: all that a checker may look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ferryman.domain.job import Attempt, Job
from ferryman.store.protocol import JobFilter, Store
from ferryman.testing.history.entries import AnyEntry, RunKey, to_line


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Under which conditions the promises are judged. Times in seconds."""

    lease: float = 10.0
    beat: float = 2.0
    rescue_within: float = 1.0
    """How long after a kill in calm weather the jobs of the dead may take to be pending again (P15): a second on one
    machine, where the end of a process is seen at once; in a fleet, where nothing but its beats tells of a node, the
    lease and half of it: 15 s by default."""
    overlapping: bool = False
    """Whether the store's transactions overlap: one that began earlier may be committed later, and what a claim has
    taken may be given back by a rollback. P12 holds there for single enqueues, but not for jobs that were given back
    in that way: those who had passed them by find them when they look from the beginning, every 10 s."""
    apart: float = 2.0
    """How much the times that a store is told by different processes may be apart at one moment: their clocks are, and
    so is what they were when their calls were begun (P17)."""
    max_pending: int = 0
    types: frozenset[str] = frozenset()
    """The types that some node has handlers for in the end; a job of another type may stay pending."""


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """The store once faults had ended, every job had time to end, and every process had stopped."""

    jobs: Mapping[str, Job]
    attempts: Mapping[str, Sequence[Attempt]]
    """Every outcome of every job, by claim number; cancels and retries by hand included."""
    open: Sequence[RunKey] = ()
    """Runs that are still claimed."""
    ledger: Sequence[RunKey] = ()
    """The rows that handlers wrote in transactions of their own: each run that does so writes one."""


class History(msgspec.Struct, kw_only=True):
    """Everything that was noted, in order, and what was left in the end."""

    entries: list[AnyEntry]
    final: Final
    terms: Terms = Terms()
    exact: bool = False
    """Whether entries marked "takes effect" stand at the moment of the effect, none missing."""

    def lines(self) -> Iterable[bytes]:
        """The entries as JSON lines."""
        return map(to_line, self.entries)


class Violation(msgspec.Struct, frozen=True):
    """A promise that was not kept: which, how, and what is to be read about it."""

    promise: str
    """`P1` to `P19`."""
    what: str
    """One sentence."""
    jobs: tuple[str, ...] = ()
    """The jobs whose entries tell the story."""
    nodes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


async def final_state(store: Store, now: int, nodes: Iterable[int]) -> Final:
    """Read everything that the checker wants to know from an open store.

    Args:
        now: the store's time, in microseconds.
        nodes: the numbers of all nodes that ever were.
    """
    jobs = {job.id: job for job in await store.list(JobFilter(limit=10_000_000), now)}
    attempts = {id: await store.attempts(id) for id in jobs}
    open = [run for node in nodes for batch in await store.open_batches(node) for run in batch.runs]
    return Final(jobs=jobs, attempts=attempts, open=open)
