"""Which queues a node serves, and how many workers each may have: one claim asks for one group of queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish


class Group:
    """Queues that are claimed together, and whether there may be something to claim."""

    def __init__(self, queues: frozenset[str] | None, share: int | None) -> None:
        """`queues` None is every queue, `share` None any number of workers."""
        self.queues = queues
        self.hungry = True
        """Whether there may be pending jobs that the node could run."""
        self.careful = False
        """Whether only an idle worker helps: the line may have been cut before a job that must not wait."""
        self._share = share
        self._open = 0

    @property
    def room(self) -> int | None:
        """How many more jobs may be open; None is no bound."""
        return None if self._share is None else self._share - self._open

    @property
    def worth_asking(self) -> bool:
        """Whether a claim could give anything."""
        return self.hungry and (self._share is None or self._open < self._share)

    def work(self) -> None:
        """Something may have come."""
        self.hungry, self.careful = True, False

    def asked(self) -> None:
        """A claim sets out; what comes from now on, it may miss."""
        self.hungry = self.careful = False

    def answered(self, request: ClaimRequest, count: int) -> None:
        """A claim gave `count` jobs: is there more?"""
        if count >= request.limit:
            self.work()
        elif count >= request.idle and not self.hungry:
            # maybe nothing is left; maybe the next one waits for an idle worker (see domain.claim.take)
            self.hungry = self.careful = True

    def add(self, count: int) -> None:
        """So many more jobs are open."""
        self._open += count


class Shares:
    """The groups of a node."""

    def __init__(self, queues: Sequence[tuple[str, int | None]] | None) -> None:
        """`queues`: (queue, share of the workers or None for all of them); None serves every queue."""
        listed = [("", None)] if queues is None else queues
        unbound = None if queues is None else frozenset(name for name, share in queues if share is None)
        self.free = Group(unbound, None) if any(share is None for _, share in listed) else None
        """The queues without a share, if there are any."""
        self._bound = {name: Group(frozenset({name}), share) for name, share in listed if share is not None}
        groups = [self._bound.get(name, self.free) for name, _ in listed]
        self._groups = [group for group in dict.fromkeys(groups) if group is not None]

    @property
    def bound(self) -> bool:
        """Whether any queue has a share."""
        return bool(self._bound)

    def work(self) -> None:
        """Something may have come for any group."""
        for group in self._groups:
            group.work()

    def worth_asking(self) -> list[Group]:
        """The groups for which a claim could give anything, the one first that was not asked for longest."""
        return [group for group in self._groups if group.worth_asking]

    def asked(self, group: Group) -> None:
        """A claim for a group sets out: the others come first next time."""
        group.asked()
        if self._bound:
            self._groups.remove(group)
            self._groups.append(group)

    def claimed(self, jobs: Iterable[ClaimedJob]) -> None:
        """These jobs are open now."""
        if self._bound:
            for job in jobs:
                self._count(job.lane.queue, 1)

    def ended(self, finishes: Iterable[Finish]) -> None:
        """These runs have ended."""
        if self._bound:
            for finish in finishes:
                self._count(finish.lane[0], -1)

    def _count(self, queue: str, change: int) -> None:
        group = self._bound.get(queue)
        if group is not None:
            group.add(change)
