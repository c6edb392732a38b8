"""What attempts have failed of, against the API itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ferryman.client import JobRequest
from ferryman.domain.error_groups import group_of
from ferryman.domain.errors import BadOption, ErrorGroupNotFound
from ferryman.domain.job import MICROS, JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.http.error_groups import error_group_of
from ferryman.http.remote.client import RemoteClient
from tests.http.world import World

pytestmark = pytest.mark.anyio


async def fail(world: World, client: RemoteClient, name: str, queue: str = "default") -> None:
    await client.enqueue(JobRequest("echo", queue=queue))
    await world.finish(Outcome(What.FAILED, error=JobError("FM501", name, ""), retryable=False))
    world.clock.advance(1)


async def test_groups_are_those_of_the_store(world: World, client: RemoteClient) -> None:
    await fail(world, client, "A")
    await fail(world, client, "B", queue="mail")
    told = await client.errors.list()
    assert list(told) == [error_group_of(each) for each in await world.client.errors.list()]
    assert await client.errors.get(told[1].group) == told[1]
    with pytest.raises(ErrorGroupNotFound):
        await client.errors.get("0" * 16)


async def test_they_are_narrowed_and_read_page_by_page(world: World, client: RemoteClient) -> None:
    start = datetime.fromtimestamp(world.clock.now() / MICROS, UTC)
    for name, queue in (("A", "mail"), ("B", "mail"), ("C", "post")):
        await fail(world, client, name, queue)
    second = timedelta(seconds=1)

    async def names(**which: object) -> list[str]:
        return [each.exception for each in await client.errors.list(**which)]  # type: ignore[arg-type]

    assert await names(queue="mail") == ["B", "A"]
    assert await names(queue=["mail", "post"], type="e*") == ["C", "B", "A"]
    assert await names(start=start + second, end=start + 2 * second) == ["B"]
    first = await client.errors.list(limit=1)
    assert await names(after=first[0], limit=5) == ["B", "A"]
    with pytest.raises(BadOption, match="zone"):
        await names(start=datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is wrong


async def test_the_id_finds_the_jobs(world: World, client: RemoteClient) -> None:
    await fail(world, client, "A")
    await fail(world, client, "B")
    group = group_of(JobError("FM501", "A", "")).id
    assert (await client.operations.count("retry", f"status:failed group:{group}")).count == 1
