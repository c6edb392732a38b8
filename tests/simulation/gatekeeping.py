"""What people do about the keys of jobs, noting what they ask and what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ferryman.domain.errors import FerrymanError
from ferryman.domain.keys import GateRule
from ferryman.store.protocol import KeyStatus
from ferryman.testing.history import entries
from ferryman.testing.history.entries import Wish
from tests.simulation import people
from tests.simulation.plan import KeyPlan
from tests.simulation.process import Process

FAST: Final = 1.0
"""Jobs of a key in a second, at which all come to their end before everything settles."""


async def ask(process: Process, key: str, wish: Wish, rule: GateRule | None = None) -> None:
    """Ask something of the gate of a key."""
    notes, store, call = process.notes, process.store, process.notes.call()
    notes.note(entries.KeyAsked, process.name, call=call, key=key, wish=wish, rule=rule)
    now, done = process.clock.now(), True
    try:
        match wish:
            case "pass":
                await store.pass_key(key, now)
            case "set" | "unset":
                await store.set_key(key, rule, now)
            case _:
                await store.pause_key(key, wish == "pause", now)
    except FerrymanError:
        done = False
    notes.note(entries.KeyAnswered, process.name, call=call, key=key, done=done)


async def act(process: Process, plan: KeyPlan, jobs: Sequence[str]) -> None:
    """Do what a person has in mind; `jobs` are those of the key that were asked for so far."""
    match plan.what:
        case "cancel":
            if jobs:
                await people.cancel(process, jobs[-1 - plan.which % min(len(jobs), 6)])
        case "retry":
            for id in await _held_by(process, plan.key):
                await people.retry(process, id)
        case wish:
            await ask(process, plan.key, wish, plan.rule)


async def _held_by(process: Process, key: str) -> Sequence[str]:
    try:
        found = await process.store.key(key)
    except FerrymanError:
        return ()
    return () if found is None else found.held_by


def is_closed(key: KeyStatus) -> bool:
    """Whether nobody goes through its gate before a person has said something."""
    return key.paused or bool(key.held_by)


def is_at_rest(key: KeyStatus, *, stays: bool) -> bool:
    """Whether all its jobs come to their end in good time, or where gates stay as they are, may wait for ever."""
    if key.rule.rate is not None and key.rule.rate < FAST:
        return False
    return stays or not (is_closed(key) or key.rule.width is not None or key.rule.rate is not None)


async def end(process: Process, keys: Sequence[KeyStatus], *, stays: bool) -> None:
    """Let the jobs of these keys come to their end: through their gates as they are, or with no gates any more."""
    for each in keys:
        if each.paused and not stays:
            await ask(process, each.key, "resume")
        if each.held_by and not stays:
            await ask(process, each.key, "pass")
        await ask(process, each.key, "set", replace(each.rule, rate=None) if stays else GateRule())
