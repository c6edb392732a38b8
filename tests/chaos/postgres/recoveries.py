"""How soon everybody worked again after each trouble, and how soon the claims of the dead came back."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from ferryman.testing.history.entries import (
    Answered,
    AnyEntry,
    Asked,
    Killed,
    Paused,
    Registered,
    Rescued,
    Resumed,
    Spawned,
    Started,
    Stopped,
    Stopping,
)
from tests.chaos.postgres.troubles import EVERYBODY, Trouble, end_of

WITHIN: Final = 15.0
"""Seconds: P15 for a fleet, and how soon everybody works again."""
NEVER: Final = float("inf")
KILLED: Final = "a node killed"
FROZEN: Final = "a node frozen for longer than its lease"


class Recovery(msgspec.Struct, frozen=True):
    """Something was over, and so much later all was well."""

    name: str
    at: float
    seconds: float
    what: str
    """What took so long."""


class Recoveries(msgspec.Struct, frozen=True):
    """Those of one name, in seconds."""

    times: int
    """How often it happened."""
    measured: int
    """How often all was well before the next trouble."""
    median: float | None
    worst: float | None


class Life(msgspec.Struct):
    """A process that had a node, and what it was able to do."""

    process: str
    slot: str
    born: float
    hurt: list[float]
    """When something was done to it."""
    ended: float
    """When its end began."""
    starts: list[float]
    """When its handlers started."""


def lives(entries: Sequence[AnyEntry]) -> list[Life]:
    """The lives of all processes that ever had a node, in order."""
    found: dict[str, Life] = {}
    for entry in entries:
        match entry:
            case Spawned():
                found[entry.process] = Life(entry.process, entry.process.partition(".")[0], entry.at, [], NEVER, [])
            case Paused() | Resumed() if entry.process in found:
                found[entry.process].hurt.append(entry.at)
            case Killed() | Stopping() | Stopped() if entry.process in found:
                found[entry.process].ended = min(found[entry.process].ended, entry.at)
            case Started() if entry.by in found:
                found[entry.by].starts.append(entry.at)
            case _:
                pass
    nodes = {entry.by for entry in entries if isinstance(entry, Registered)}
    return [life for life in found.values() if life.process in nodes]


def after_troubles(entries: Sequence[AnyEntry], troubles: Sequence[Trouble]) -> Iterator[Recovery]:
    """From the end of each trouble until an enqueue that was asked for since then is accepted, and every process that
    lived through it, and had it, has started a handler.

    Left out are processes to which something is done before that, and troubles after which the next one begins before,
    unless it had been too long by then already.
    """
    families, accepted = lives(entries), _accepted(entries)
    ordered = sorted(troubles, key=lambda each: each.began)
    for trouble, following in pairwise([*ordered, Trouble("", EVERYBODY, NEVER)]):
        at, what = max(_recovered(trouble, families, accepted), default=(NEVER, "an enqueue"))
        known = min(at, following.began)
        if known == at or known - trouble.ended > WITHIN:
            yield Recovery(trouble.name, trouble.ended, known - trouble.ended, what)


def _recovered(
    trouble: Trouble, families: Sequence[Life], accepted: Sequence[tuple[float, float]]
) -> Iterator[tuple[float, str]]:
    """(when, what) came back."""
    again = [answered for asked, answered in accepted if asked >= trouble.ended]
    if again:
        yield min(again), "an enqueue"
    for life in families:
        if not (trouble.concerns(life.slot) and life.starts and life.starts[0] <= trouble.began <= life.ended):
            continue  # it was not at work
        started = bisect_right(life.starts, trouble.ended)
        at = life.starts[started] if started < len(life.starts) else NEVER
        hurt = min((each for each in (*life.hurt, life.ended) if each >= trouble.began), default=NEVER)
        if at <= hurt or hurt - trouble.ended > WITHIN:
            yield min(at, hurt), life.process


def _accepted(entries: Sequence[AnyEntry]) -> list[tuple[float, float]]:
    """When the enqueues that were accepted were asked for, and were answered."""
    asked = {entry.request: entry.at for entry in entries if isinstance(entry, Asked)}
    return [
        (asked[entry.request], entry.at)
        for entry in entries
        if isinstance(entry, Answered) and entry.verdict == "accepted" and entry.request in asked
    ]


def after_deaths(entries: Sequence[AnyEntry], troubles: Sequence[Trouble]) -> Iterator[Recovery]:
    """From each death of a process that had a node until another one gave its claims back, or saw that it had none.

    A process that is frozen for so long that others take it for dead counts as one that dies. Where there was trouble
    with the server in between, from its end.
    """
    nodes: dict[str, str] = {}
    frozen: dict[str, float] = {}
    waiting: dict[str, tuple[str, float]] = {}
    for entry in entries:
        match entry:
            case Registered():
                nodes[entry.by] = entry.node
            case Paused() if entry.process in nodes:
                frozen[nodes[entry.process]] = entry.at
            case Killed() if entry.process in nodes:
                waiting[nodes[entry.process]] = (KILLED, entry.at)
            case Rescued():
                name, since = waiting.pop(entry.node, (FROZEN, frozen.get(entry.node, entry.at)))
                if entry.node in frozen or name is KILLED:
                    began = end_of(troubles, entry.by.partition(".")[0], since, entry.at)
                    yield Recovery(name, since, max(0.0, entry.at - began), entry.by)
            case _:
                pass


def summary(found: Sequence[Recovery], troubles: Sequence[Trouble]) -> Mapping[str, Recoveries]:
    """By name; those of a name that were never measured, too."""
    names = sorted({each.name for each in troubles} | {each.name for each in found})
    return {name: _of(name, found, troubles) for name in names}


def _of(name: str, found: Sequence[Recovery], troubles: Sequence[Trouble]) -> Recoveries:
    seconds = [each.seconds for each in found if each.name == name]
    return Recoveries(
        times=sum(each.name == name for each in troubles) or len(seconds),
        measured=len(seconds),
        median=round(statistics.median(seconds), 2) if seconds else None,
        worst=round(max(seconds), 2) if seconds else None,
    )


def late(found: Sequence[Recovery]) -> list[str]:
    """Those that took too long, in words."""
    return [
        f"{each.name}, over at {each.at:.2f}: it took {each.seconds:.2f} s until {each.what} was well"
        for each in found
        if each.seconds > WITHIN
    ]
