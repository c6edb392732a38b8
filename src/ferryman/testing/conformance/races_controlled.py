"""Races over a job that a person moves to another place."""

from __future__ import annotations

from typing import Any

from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.store.controlling import Placement
from ferryman.testing.conformance import heats
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.heats import Call, Heat


def place(bench: Bench, id: str, placement: Placement) -> Call:
    """A person's placement."""
    return Call("place", ([id], placement, bench.now))


def cancel_waiting(bench: Bench, id: str) -> Call:
    """A person's cancel of whatever waits."""
    return Call("cancel_waiting", ([id], bench.now))


async def place_claim(bench: Bench) -> Heat:
    """A job is claimed where it stood, or put off and not claimed."""
    id, node = await bench.add(), await bench.node()

    async def judge(placed: Any, batch: Any) -> None:
        moved = placed[id] is Status.PENDING
        assert [job.id for job in batch.jobs] == ([] if moved else [id])
        assert placed[id] in (Status.PENDING, Status.PROCESSING)
        assert await bench.status(id) is (Status.SCHEDULED if moved else Status.PROCESSING)

    later = Placement("other", run_at=bench.now + 60 * MICROS)
    return Heat(place(bench, id, later), heats.claim(bench, node), judge)


async def place_promote(bench: Bench) -> Heat:
    """A due job is put off, from wherever it stands."""
    id = await bench.add(run_at=bench.now + 1)
    bench.clock.advance(1)

    async def judge(placed: Any, promoted: Any) -> None:
        assert promoted.count == int(placed[id] is Status.PENDING)
        assert await bench.status(id) is Status.SCHEDULED
        assert (await bench.read(id)).queue == "other"

    later = Placement("other", run_at=bench.now + 60 * MICROS)
    return Heat(place(bench, id, later), heats.promote(bench), judge)


async def place_place(bench: Bench) -> Heat:
    """One person gives a job another queue, another one another priority: it gets both."""
    id = await bench.add()
    await bench.store.place(
        [await bench.add("mail")], Placement("poison", 1), bench.now
    )  # the lanes are another type's

    async def judge(one: Any, two: Any) -> None:
        assert one == two == {id: Status.PENDING}
        read = await bench.read(id)
        assert (read.queue, read.priority, read.status) == ("poison", 1, Status.PENDING)

    return Heat(place(bench, id, Placement("poison")), place(bench, id, Placement(priority=1)), judge)


async def place_cancel(bench: Bench) -> Heat:
    """Moved or not, it ends cancelled."""
    id = await bench.add()

    async def judge(placed: Any, cancelled: Any) -> None:
        moved = placed[id] is Status.PENDING
        assert cancelled.before is (Status.SCHEDULED if moved else Status.PENDING)
        assert await bench.status(id) is Status.CANCELLED

    return Heat(place(bench, id, Placement(run_at=bench.now + 60 * MICROS)), heats.cancel(bench, id), judge)


async def cancel_waiting_claim(bench: Bench) -> Heat:
    """A job is claimed and goes on, or cancelled and never runs."""
    id, node = await bench.add(), await bench.node()

    async def judge(cancelled: Any, batch: Any) -> None:
        assert [*cancelled, *(job.id for job in batch.jobs)] == [id]
        assert await bench.status(id) is (Status.CANCELLED if cancelled else Status.PROCESSING)

    return Heat(cancel_waiting(bench, id), heats.claim(bench, node), judge)


async def cancel_waiting_promote(bench: Bench) -> Heat:
    """Whether it was promoted first or not, it ends cancelled."""
    id = await bench.add(run_at=bench.now + 1)
    bench.clock.advance(1)

    async def judge(cancelled: Any, promoted: Any) -> None:
        assert (list(cancelled), promoted.count in (0, 1)) == ([id], True)
        assert await bench.status(id) is Status.CANCELLED

    return Heat(cancel_waiting(bench, id), heats.promote(bench), judge)
