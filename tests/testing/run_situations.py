"""How the situations of runs come about: attempts, finishes, cancels, rescues, follow-ups and transactions."""

from __future__ import annotations

from collections.abc import Callable

from ferryman.domain.errors import QueueFull, UniqueKeyTaken
from ferryman.domain.job import JobError
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

Play = Callable[[Writer], object]


def last_attempt(writer: Writer) -> None:
    for status in ("scheduled", "scheduled", "failed"):
        writer.run("a", "failed", status)


def fenced(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Killed, process="p1")
    writer.rescue("a")
    writer.write(fenced=True)


def asked_again(writer: Writer) -> None:
    writer.ask()


def claim_unheard(writer: Writer) -> None:
    writer.claim("a", reply=False)


def finish_unheard(writer: Writer) -> None:
    writer.claim("a")
    writer.write(reply=False)


def written_again(writer: Writer) -> None:
    writer.claim("a")
    writer.write(reply=False)
    writer.note(e.Writing, "p1", call=90, node=1, runs=[e.WrittenRun("a", 1, "done", "completed", 7)])
    writer.note(e.Wrote, "p1", call=90, node=1, fenced=[], cancelled=[])


def orphan(writer: Writer) -> None:
    writer.note(e.Released, "p1", node=1, batch=1, count=1)


def rescued_while_writing(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Writing, "p1", call=90, node=1, runs=[e.WrittenRun("a", 1, "done", "completed", 7)])
    writer.rescue("a")
    writer.note(e.Wrote, "p1", call=90, node=1, fenced=[("a", 1)], cancelled=[])


def claimed_before_the_cancel_came(writer: Writer) -> None:
    asked = writer.note(e.CancelAsked, "client", job="a")
    writer.claim("a")
    writer.row("a", "cancelled", "cancelled")
    writer.note(e.CancelTook, "p1", asked=asked, job="a", before="processing")


def cancelled_before_the_claim_came(writer: Writer) -> None:
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.cancel()
    writer.note(e.Replied, "p1", call=90)


def found(how: str) -> Play:
    return lambda writer: writer.note(e.Found, "p1", node=1, batch=1, jobs=["a"], how=how)


def due_before_the_cancel_came(writer: Writer) -> None:
    asked = writer.note(e.CancelAsked, "client", job="a")
    writer.note(e.PromoteTook, "p1", asked=asked, count=1)
    writer.note(e.CancelTook, "p1", asked=asked, job="a", before="pending")


def cancelled_before_it_was_due(writer: Writer) -> None:
    asked = len(writer.entries)
    writer.note(e.CancelTook, "p1", asked=asked, job="a", before="scheduled")
    writer.note(e.PromoteTook, "p1", asked=asked, count=1)


def stopped_with(what: str, status: str) -> Callable[[Writer], None]:
    def write(writer: Writer) -> None:
        writer.claim("a")
        writer.note(e.Stopping, process="p1")
        writer.write("a", what, status)

    return write


def suspect(writer: Writer) -> None:
    writer.claim("a", crashes=2)


def died(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Killed, process="p1")
    writer.rescue("a")


def died_in_calm(writer: Writer) -> None:
    writer.note(e.Calm)
    died(writer)


def taken_for_dead(writer: Writer) -> None:
    writer.note(e.Paused, process="p1")
    writer.rescue()


def claims_anew(writer: Writer) -> None:
    taken_for_dead(writer)
    writer.register("p1", 11)
    writer.claim("a", node=11)


def late(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Paused, process="p1")
    writer.rescue("a")
    writer.claim("a", process="p2")
    writer.write(fenced=True, number=1)


def rescued_after_a_completion(writer: Writer) -> None:
    writer.run()
    writer.note(e.Killed, process="p1")
    writer.rescue()


def retried(writer: Writer) -> None:
    writer.cancel()
    writer.retry()


def timed_out(writer: Writer) -> None:
    writer.row("a", "failed", "failed", error=JobError("FM502", "HandlerTimedOut", "late"))


def with_a_follow_up(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.follow("b", unique_key="k")


def follow_up_fenced(writer: Writer) -> None:
    with_a_follow_up(writer)
    writer.note(e.Killed, process="p1")
    writer.rescue("a")
    writer.write(fenced=True, number=1)


def follow_up_replayed(writer: Writer) -> None:
    with_a_follow_up(writer)
    writer.write()
    writer.brought("b")
    writer.repeat()


def follow_up_gives_way(writer: Writer) -> None:
    writer.enqueue("holder", unique_key="k")
    with_a_follow_up(writer)
    writer.write()


def commits(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.commit()


def commit_unheard(writer: Writer) -> None:
    commits(writer)
    writer.repeat("a", "failed", "scheduled", fenced=True)


def commits_and_writes_again(writer: Writer) -> None:
    commits(writer)
    writer.repeat()


def transaction_timed_out(writer: Writer) -> None:
    writer.row("a", "failed", "failed", error=JobError("FM501", "TransactionTimedOut", "late"))


def refused(code: str) -> Play:
    return lambda writer: writer.answer("b", "refused", code=code)


def stepped(seconds: float) -> Play:
    return lambda writer: writer.note(e.Stepped, seconds=seconds)


REACHED: list[tuple[str, Play]] = [
    ("last attempt", last_attempt),
    ("fenced write", fenced),
    ("lost reply of an enqueue", asked_again),
    ("lost reply of a claim", claim_unheard),
    ("lost reply of a finish", finish_unheard),
    ("own finish recognised", written_again),
    ("orphan claim released", orphan),
    ("rescue races a finish", rescued_while_writing),
    ("cancel races a claim", claimed_before_the_cancel_came),
    ("cancel races a claim", cancelled_before_the_claim_came),
    ("cancel races a promote", due_before_the_cancel_came),
    ("cancel races a promote", cancelled_before_it_was_due),
    ("release at the deadline", stopped_with("released", "pending")),
    ("interrupted at the deadline", stopped_with("interrupted", "pending")),
    ("suspect claimed alone", suspect),
    ("died with claims", died),
    ("killed in calm weather", died_in_calm),
    ("taken for dead alive", taken_for_dead),
    ("rescued node claims again", claims_anew),
    ("late finish", late),
    ("rescue after a completion", rescued_after_a_completion),
    ("retried by hand", retried),
    ("snoozed", lambda writer: writer.run("a", "snoozed", "scheduled")),
    ("timed out", timed_out),
    ("request replayed", lambda writer: writer.answer("a", "replayed")),
    ("unique key refused", refused(UniqueKeyTaken.code)),
    ("queue full", refused(QueueFull.code)),
    ("follow-up of a fenced run", follow_up_fenced),
    ("follow-up of a replayed finish", follow_up_replayed),
    ("follow-up gives way", follow_up_gives_way),
    ("transaction committed", commits),
    ("lost reply of a commit", commit_unheard),
    ("died in a transaction", lambda writer: writer.note(e.Killed, process="p1", during=e.IN_A_TRANSACTION)),
    ("transaction timed out", transaction_timed_out),
    ("claimed past a gap", lambda writer: writer.note(e.Passed, "p1", node=1, batch=1, running=2)),
    ("gap found late", found("gap")),
    ("rescan found", found("rescan")),
    ("restart of the server", lambda writer: writer.note(e.Restarted, seconds=1.0)),
    ("read-only", lambda writer: writer.note(e.ReadOnly, seconds=1.0)),
    ("clock set forward", stepped(5.0)),
    ("clock set back", stepped(-5.0)),
]
"""Each situation of runs, and how it comes about."""
MISSED: list[tuple[str, Play]] = [
    ("follow-up of a fenced run", fenced),
    ("follow-up of a fenced run", follow_up_replayed),
    ("follow-up of a replayed finish", written_again),
    ("follow-up of a replayed finish", follow_up_fenced),
    ("follow-up gives way", follow_up_fenced),
    ("follow-up gives way", follow_up_replayed),
    ("lost reply of a commit", fenced),
    ("lost reply of a commit", commits_and_writes_again),
    ("died in a transaction", died),
    ("transaction timed out", timed_out),
]
"""What comes near to one, and is none."""
