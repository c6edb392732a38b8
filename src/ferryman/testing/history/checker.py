"""The checker: decides each promise of docs/promises.md from a history and the final state, and nothing else.

A predicate speaks up only where the evidence is conclusive: what it says is a fault, and what it cannot decide
is written in its docstring. All of them together take time linear in entries and outcomes, but for sorting, and
for one more look at all claims for each kill in calm weather, at all jobs for each follow-up that gave way, at what
was said of a key for each of its jobs, and at the first claims of a lane for each key with a share in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ferryman.testing.history.accepted import accepted_is_durable, nothing_invented, nothing_lost
from ferryman.testing.history.bounds import full_queues_refuse
from ferryman.testing.history.edges import only_the_edges
from ferryman.testing.history.fencing import writes_are_fenced
from ferryman.testing.history.history import History, Violation
from ferryman.testing.history.index import Index
from ferryman.testing.history.keys import keys_are_unique
from ferryman.testing.history.limits import limits_hold
from ferryman.testing.history.liveness import only_the_dead_are_rescued, the_killed_are_rescued_soon
from ferryman.testing.history.order import first_come_first_claimed
from ferryman.testing.history.runs import one_completion, one_start_per_run, starts_are_bounded
from ferryman.testing.history.sequences import sequences_hold
from ferryman.testing.history.slots import gates_hold
from ferryman.testing.history.stopping import stop_is_orderly
from ferryman.testing.history.ticks import ticks_fire_once
from ferryman.testing.history.turns import keys_take_turns

Predicate = Callable[[Index], Iterator[Violation]]

PROMISES: Final[Mapping[str, Predicate]] = MappingProxyType(
    {
        "P1": accepted_is_durable,
        "P2": nothing_lost,
        "P3": nothing_invented,
        "P4": one_completion,
        "P5": one_start_per_run,
        "P6": starts_are_bounded,
        "P7": writes_are_fenced,
        "P8": only_the_edges,
        "P9": ticks_fire_once,
        "P10": keys_are_unique,
        "P11": limits_hold,
        "P12": first_come_first_claimed,
        "P13": stop_is_orderly,
        "P14": only_the_dead_are_rescued,
        "P15": the_killed_are_rescued_soon,
        "P16": full_queues_refuse,
        "P17": gates_hold,
        "P18": sequences_hold,
        "P19": keys_take_turns,
    }
)
"""Who decides what. Each docstring states its predicate, and what it leaves undecided."""

NOT_YET: Final[Mapping[str, str]] = MappingProxyType({})
"""Promises of features that this version does not have. Nobody decides them."""


def check(history: History) -> list[Violation]:
    """Every promise that a history breaks, in the order of the promises; empty if it keeps them all.

    The store must not have deleted anything: judge one that keeps ended jobs for longer than the history lasts.
    """
    index = Index(history)
    return [violation for decide in PROMISES.values() for violation in decide(index)]
