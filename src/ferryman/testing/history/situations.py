"""Situations that a campaign must have been in: a promise that was never put to the test was kept by luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ferryman.domain.errors import QueueFull, UniqueKeyTaken
from ferryman.testing.history import reached
from ferryman.testing.history import reached_keys as keys
from ferryman.testing.history import reached_limits as limits
from ferryman.testing.history import reached_together as together
from ferryman.testing.history.entries import Claimed, Passed, ReadOnly, Released, Restarted, Wrote
from ferryman.testing.history.history import History
from ferryman.testing.history.index import Index
from ferryman.testing.history.reached import Reached


def sometimes(history: History, index: Index | None = None) -> Counter[str]:
    """How often a history was in each of the situations of `SOMETIMES`; only those it was in at all.

    Where a history is not exact, what took effect without an answer is not seen, so the lost replies are none.

    Args:
        history: what to look at.
        index: of that history, if it was made before.
    """
    index = Index(history) if index is None else index
    found = Counter({name: sum(1 for _ in cases(index)) for name, (_, cases) in _SITUATIONS.items()})
    return +found


_SITUATIONS: Final[Mapping[str, tuple[str, Reached]]] = MappingProxyType(
    {
        "last attempt": ("a handler starts for the last time that max_attempts allows", reached.last_attempts),
        "fenced write": ("a worker writes an outcome, and its run has one already", reached.fenced_writes),
        "lost reply of an enqueue": ("a job is stored, and asked for once more", reached.stored_unanswered),
        "lost reply of a claim": (
            "a claim takes effect, and its node never hears of it",
            reached.lost_replies(Claimed),
        ),
        "lost reply of a finish": (
            "outcomes are written, and their node never hears of it",
            reached.lost_replies(Wrote),
        ),
        "own finish recognised": ("an outcome is written again by the run that had written it", reached.own_recognised),
        "orphan claim released": ("a claim whose reply was lost is found and given back", reached.noted(Released)),
        "rescue races a finish": ("a node is found dead while it writes outcomes", reached.rescue_and_finish),
        "cancel races a claim": ("a job is cancelled while jobs are claimed", reached.cancel_and_claim),
        "cancel races a promote": ("a job is cancelled while it becomes due", reached.cancel_and_promote),
        "release at the deadline": ("a node that stops gives back what never started", reached.at_the_stop("released")),
        "interrupted at the deadline": ("a node that stops cuts a handler off", reached.at_the_stop("interrupted")),
        "suspect claimed alone": ("a job under which nodes died is claimed by itself", reached.suspects),
        "died with claims": ("a process is killed, and its runs are lost with it", reached.died_with_claims),
        "killed in calm weather": ("the same once faults have ended, which P15 puts a time to", reached.killed_in_calm),
        "taken for dead alive": ("a node is found dead whose process lives", reached.dead_alive),
        "rescued node claims again": (
            "a process whose node was found dead claims anew",
            reached.lives_again,
        ),
        "late finish": ("a worker finishes a job that another node has claimed by then", reached.late_finish),
        "rescue after a completion": (
            "a node is found dead shortly after it has completed a job",
            reached.rescue_of_completed,
        ),
        "retried by hand": ("a person sends an ended job back", reached.ended("retried")),
        "snoozed": ("a handler snoozes", reached.ended("snoozed")),
        "timed out": ("a handler runs into its timeout", reached.timeouts),
        "request replayed": ("a request is known by its idempotency key, and answered with its job", reached.replayed),
        "unique key refused": ("a job is refused: a live one has its unique key", reached.refused(UniqueKeyTaken.code)),
        "queue full": ("a job is refused: its queue is full", reached.refused(QueueFull.code)),
        "follow-up of a fenced run": (
            "a completion comes too late, and with it jobs that would have followed",
            together.follow_ups_fenced,
        ),
        "follow-up of a replayed finish": (
            "a completion is written again, and had brought follow-ups the first time",
            together.follow_ups_replayed,
        ),
        "follow-up gives way": (
            "a follow-up is not made: an earlier job has its unique key",
            together.follow_ups_that_gave_way,
        ),
        "transaction committed": ("a handler's transaction completes its run", together.committed),
        "lost reply of a commit": (
            "a handler's transaction commits, and its node never hears of it",
            together.commits_unheard,
        ),
        "died in a transaction": (
            "a process is killed while a handler's transaction is open",
            together.killed_in_a_transaction,
        ),
        "transaction timed out": (
            "a handler's transaction is open for too long, and rolled back",
            together.transactions_timed_out,
        ),
        "claimed past a gap": (
            "a claim passes transactions in progress, whose jobs will stand behind it",
            reached.noted(Passed),
        ),
        "gap found late": ("a job of such a transaction is found and claimed", reached.found("gap")),
        "rescan found": (
            "a job that a claim took and gave back by a rollback is found by a look from the beginning",
            reached.found("rescan"),
        ),
        "restart of the server": ("the server of the store restarts", reached.noted(Restarted)),
        "read-only": ("the server of the store fails over, and is read-only for a while", reached.noted(ReadOnly)),
        "held back by a limit": (
            "a claim takes all that a limit allows, and leaves a job for its sake",
            limits.held_back,
        ),
        "held back by a rate": ("the same until the next token of a rate", limits.held_back_by_a_rate),
        "waited for a pause": (
            "a job is not claimed before its queue or type is paused no more",
            limits.waited_for_a_pause,
        ),
        "holder taken for dead": (
            "who runs the one job that a limit allows is frozen, found dead, and the job is given back",
            limits.holder_taken_for_dead,
        ),
        "waited for a slot": (
            "a job is claimed after as many others of its key as its gate has slots",
            keys.waited_for_a_slot,
        ),
        "waited for a token": ("more jobs of a key are claimed than its burst allows at once", keys.waited_for_a_token),
        "waited for a paused key": ("a job is not claimed before its key is paused no more", keys.waited_for_a_pause),
        "sequence passed": ("a person lets a sequence go on without a failed job", keys.passed),
        "retried in its turn": (
            "the failed job of a key is retried by hand, and another one is claimed later",
            keys.retried_in_its_turn,
        ),
        "rule of a key changed": ("a person changes the rule of a key whose jobs run", keys.ruled_anew),
        "left before a gate": ("jobs wait in the end for a person who opens their gate", keys.left_waiting),
        "holder of a key taken for dead": (
            "who runs the only job that a key allows is frozen, found dead, and the job is given back",
            keys.holder_taken_for_dead,
        ),
        "turns taken": (
            "between two jobs of a key with a share that has more waiting comes one of another such key",
            keys.turns_taken,
        ),
        "clock set forward": ("the wall clock jumps forward", reached.stepped(1)),
        "clock set back": ("the wall clock jumps back", reached.stepped(-1)),
    }
)

SOMETIMES: Final[Mapping[str, str]] = MappingProxyType({name: what for name, (what, _) in _SITUATIONS.items()})
"""Each situation and what it is."""
WITH_TRANSACTIONS: Final = frozenset(
    {"transaction committed", "lost reply of a commit", "died in a transaction", "transaction timed out"}
)
"""Those that only a store which has transactions for handlers can be in."""
ON_A_SERVER: Final = frozenset(
    {"claimed past a gap", "gap found late", "rescan found", "restart of the server", "read-only"}
)
"""Those that only a store on a server can be in, whose transactions overlap."""
