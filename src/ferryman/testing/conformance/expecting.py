"""cancel, retry, place and delete with an expected version: nothing happens to a job that has changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ferryman.domain.errors import PreconditionFailed
from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.protocol import Store
from ferryman.store.watching import Version
from ferryman.testing.conformance.bench import Bench

Change = Callable[[Store, Bench, str, Version], Awaitable[Any]]
ROUNDS = 8


async def cancel(store: Store, bench: Bench, id: str, expected: Version) -> Any:
    """A person's cancel."""
    return await store.cancel(id, bench.now, expected=expected)


async def retry(store: Store, bench: Bench, id: str, expected: Version) -> Any:
    """A person's retry."""
    return await store.retry(id, bench.now, expected=expected)


async def place(store: Store, bench: Bench, id: str, expected: Version) -> Any:
    """A person's change of the queue."""
    return await store.place([id], Placement(queue="post"), bench.now, expected=expected)


async def delete(store: Store, bench: Bench, id: str, expected: Version) -> Any:
    """A person has it deleted."""
    return await store.delete(id, bench.now, expected=expected)


CASES = [
    pytest.param(cancel, Status.PENDING, id="cancel-pending"),
    pytest.param(cancel, Status.SCHEDULED, id="cancel-scheduled"),
    pytest.param(cancel, Status.PROCESSING, id="cancel-processing"),
    pytest.param(retry, Status.FAILED, id="retry-failed"),
    pytest.param(retry, Status.CANCELLED, id="retry-cancelled"),
    pytest.param(place, Status.PENDING, id="place-pending"),
    pytest.param(place, Status.SCHEDULED, id="place-scheduled"),
    pytest.param(delete, Status.FAILED, id="delete-failed"),
    pytest.param(delete, Status.CANCELLED, id="delete-cancelled"),
]


class Expecting:
    """Who says which version is meant changes that one, or none."""

    @pytest.mark.parametrize(("change", "status"), CASES)
    async def test_the_version_that_is_meant_is_changed(self, bench: Bench, change: Change, status: Status) -> None:
        id = await bench.bring(status)
        expected = await _version(bench, id)
        await change(bench.store, bench, id, expected)
        if status is Status.PROCESSING:
            assert await bench.store.cancellations(await bench.home()) == [(id, 1)]
        else:
            assert (await bench.store.versions([id], bench.now)).get(id) != expected

    @pytest.mark.parametrize(("change", "status"), CASES)
    @pytest.mark.parametrize("wrong", ["status", "claim", "queue", "priority", "run_at"])
    async def test_another_version_is_left_alone(
        self, bench: Bench, change: Change, status: Status, wrong: str
    ) -> None:
        id = await bench.bring(status)
        before = await bench.read(id)
        found = await _version(bench, id)
        others = {"status": Status.COMPLETED, "claim": 7, "queue": "x", "priority": 9, "run_at": 7}
        told = {name: getattr(found, name) for name in found.__struct_fields__} | {wrong: others[wrong]}
        with pytest.raises(PreconditionFailed):
            await change(bench.store, bench, id, Version(**told))
        assert await bench.read(id) == before
        assert list(await bench.store.cancellations(await bench.home())) == []

    async def test_a_job_that_is_not_there_has_no_version_that_is_meant(self, bench: Bench) -> None:
        version = await _version(bench, await bench.add())
        for change in (cancel, retry, place, delete):
            with pytest.raises(PreconditionFailed):
                await change(bench.store, bench, bench.job().id, version)

    async def test_a_later_run_is_not_the_one_that_was_meant(self, bench: Bench) -> None:
        job = await bench.start()
        meant = await _version(bench, job.id)
        await bench.finish(job, What.RELEASED)
        await bench.claim()
        with pytest.raises(PreconditionFailed):
            await cancel(bench.store, bench, job.id, meant)
        assert list(await bench.store.cancellations(await bench.home())) == []

    async def test_another_time_is_another_version(self, bench: Bench) -> None:
        id = await bench.bring(Status.SCHEDULED)
        meant = await _version(bench, id)
        await bench.store.place([id], Placement(run_at=bench.now + 500 * MICROS), bench.now)
        for change in (cancel, place):
            with pytest.raises(PreconditionFailed):
                await change(bench.store, bench, id, meant)

    @pytest.mark.parametrize(
        ("change", "status"),
        [(cancel, Status.PENDING), (retry, Status.FAILED), (place, Status.SCHEDULED), (delete, Status.FAILED)],
    )
    async def test_of_two_who_mean_one_version_one_changes_it(
        self, bench: Bench, change: Change, status: Status
    ) -> None:
        other = await bench.harness.another()
        for id in [await bench.bring(status) for _ in range(ROUNDS)]:
            meant = await _version(bench, id)
            both = (change(each, bench, id, meant) for each in (bench.store, other))
            told = await asyncio.gather(*both, return_exceptions=True)
            assert [isinstance(each, BaseException) for each in told].count(True) == 1
            assert any(isinstance(each, PreconditionFailed) for each in told)

    async def test_a_job_that_is_sent_back_meanwhile_is_not_deleted(self, bench: Bench) -> None:
        other = await bench.harness.another()
        for round in range(ROUNDS):
            id = await bench.bring(Status.FAILED)
            meant = await _version(bench, id)
            calls = [delete(other, bench, id, meant), retry(bench.store, bench, id, meant)]
            told = await asyncio.gather(*(calls if round % 2 else calls[::-1]), return_exceptions=True)
            assert [isinstance(each, PreconditionFailed) for each in told].count(True) == 1
            assert (await bench.store.get(id, bench.now) is None) == any(isinstance(each, Deleted) for each in told)
            await bench.store.cancel(id, bench.now)

    async def test_a_job_that_has_not_ended_stays_whatever_is_meant(self, bench: Bench) -> None:
        id = await bench.add()
        assert await delete(bench.store, bench, id, await _version(bench, id)) == Deleted(Status.PENDING)
        assert await bench.status(id) is Status.PENDING

    async def test_a_job_that_was_claimed_meanwhile_is_not_asked_to_end(self, bench: Bench) -> None:
        other, node = await bench.harness.another(), await bench.home()
        for round in range(ROUNDS):
            id = await bench.add()
            meant = await _version(bench, id)
            calls = [cancel(other, bench, id, meant), bench.store.claim(bench.request(node), bench.now)]
            told = await asyncio.gather(*(calls if round % 2 else calls[::-1]), return_exceptions=True)
            refused = any(isinstance(each, PreconditionFailed) for each in told)
            assert await bench.status(id) is (Status.PROCESSING if refused else Status.CANCELLED)
            assert list(await bench.store.cancellations(node)) == []


async def _version(bench: Bench, id: str) -> Version:
    return (await bench.store.versions([id], bench.now))[id]
