"""How many jobs there are and were.

Stores that keep rows count what happens. `tally` has how many jobs came to a status in which they rest, `gone` how many
have left it: the difference is how many there are. So nothing more is counted while jobs run, and nobody has to count a
million rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from ferryman.domain.filters.meaning import is_like
from ferryman.domain.state import EVERY, TERMINAL, Status

TOTALS: Final = ("created", "completed", "failed", "cancelled", "retried", "rescued")
"""The events that are counted."""
TallyRow = tuple[str, str, str, bool | int, int]
"""(queue, type, status or event, whether it is of jobs that have gone, how many)"""


class Tallied(msgspec.Struct, frozen=True):
    """The jobs of one queue and type; what is 0 is left out."""

    standing: Mapping[Status, int]
    """status -> jobs now in it. Those that have ended count until they are deleted, also past their retention."""
    totals: Mapping[str, int]
    """Each of TOTALS: events since the store was made."""


class Counts(msgspec.Struct, frozen=True, dict=True):
    """How many jobs there are and were, over all nodes, exact at one moment."""

    tallied: Mapping[tuple[str, str], Tallied]
    """(queue, type) -> its jobs."""
    oldest_pending: Mapping[str, int]
    """queue -> microseconds for which its first pending job has been ready to run."""

    @cached_property
    def standing(self) -> Mapping[tuple[str, Status], int]:
        """(queue, status) -> jobs now in it, for waiting, scheduled, pending and processing; what is 0 is left out."""
        found = Counter[tuple[str, Status]]()
        for (queue, _), each in self.tallied.items():
            found.update({(queue, status): n for status, n in each.standing.items() if status not in TERMINAL})
        return dict(found)

    @cached_property
    def totals(self) -> Mapping[str, int]:
        """Each of TOTALS: events since the store was made."""
        found = Counter[str](dict.fromkeys(TOTALS, 0))
        for each in self.tallied.values():
            found.update(each.totals)
        return dict(found)

    @cached_property
    def ended(self) -> Mapping[str, int]:
        """queue -> jobs that have ended in it since the store was made."""
        found = Counter[str]()
        for (queue, _), each in self.tallied.items():
            found[queue] += sum(each.totals.get(status, 0) for status in TERMINAL)
        return dict(+found)

    def within(self, queues: frozenset[str] | None) -> Counts:
        """The same of some queues alone; None is all."""
        if queues is None:
            return self
        return Counts(
            {group: each for group, each in self.tallied.items() if group[0] in queues},
            {queue: age for queue, age in self.oldest_pending.items() if queue in queues},
        )

    def jobs(self, queues: frozenset[str] | None = None, types: frozenset[str] = frozenset()) -> Mapping[Status, int]:
        """Every status -> jobs now in it.

        Args:
            queues: only those in these; None is any.
            types: only those of a type like one of these, in which `*` stands for any text; none is any.
        """
        found = Counter[Status](dict.fromkeys(Status, 0))
        for (queue, type), each in self.tallied.items():
            if (queues is None or queue in queues) and (not types or any(is_like(type, like) for like in types)):
                found.update(each.standing)
        return dict(found)


_NOTHING: Final = Tallied({}, {})


def counts_of(rows: Iterable[Sequence[Any]], arrivals: Iterable[Sequence[Any]], now: int) -> Counts:
    """What such rows add up to.

    Args:
        rows: each a `TallyRow`, any number of a kind.
        arrivals: queue, and since when its first pending job has been ready.
        now: in microseconds.
    """
    standing: dict[tuple[str, str], Counter[Status]] = {}
    totals: dict[tuple[str, str], Counter[str]] = {}
    for queue, type, what, gone, n in rows:
        stands = standing.setdefault((queue, type), Counter())
        if not gone and what in TOTALS:
            totals.setdefault((queue, type), Counter())[what] += n
        if what in EVERY:
            stands[Status(what)] += -n if gone else n
    found = {group: Tallied(dict(+stands), dict(+totals.get(group, Counter()))) for group, stands in standing.items()}
    tallied = {group: each for group, each in found.items() if each != _NOTHING}
    return Counts(tallied, {queue: max(0, now - arrival) for queue, arrival in arrivals})
