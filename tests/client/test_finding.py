"""Lists by a text, in slices; counts that are bounded; what is secret is not found out."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.client import JobRequest, finding
from ferryman.domain.errors import BadFilter, BadOption
from ferryman.domain.filters import JobFilter
from ferryman.domain.state import Status
from ferryman.store.protocol import Declaration
from tests.client.world import World

pytestmark = pytest.mark.anyio


async def some(world: World, count: int) -> list[str]:
    """So many jobs, each a second after the one before."""
    ids = []
    for n in range(count):
        ids.append((await world.client.enqueue(JobRequest("send", f'{{"to":"{n}"}}'))).id)
        world.clock.advance(1)
    return ids


async def test_a_list_takes_a_text(world: World) -> None:
    ids = await some(world, 4)
    assert [job.id for job in await world.client.list('payload.to:"1","3" created:<10s')] == [ids[1], ids[3]]
    with pytest.raises(BadFilter):
        await world.client.list("nobody")


async def test_a_list_looks_at_a_slice_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "SLICE", 2)
    ids = await some(world, 9)
    asked = world.client.read_filter('payload.to:"5","8"')
    page = await world.client.list(asked)
    assert ([job.id for job in page], page.next, page.looked_at) == ([ids[5], ids[8]], None, 9)
    page = await world.client.list(msgspec.structs.replace(asked, scan=5))
    assert ([job.id for job in page], page.next, page.looked_at) == ([], ids[4], 5)
    page = await world.client.list(msgspec.structs.replace(asked, limit=1))
    assert ([job.id for job in page], page.next, page.looked_at) == ([ids[5]], ids[5], 6)


async def test_a_count_is_complete_or_says_that_it_is_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 2)
    await some(world, 7)
    controls = world.client.controls
    assert await controls.would_purge(JobFilter()) == finding.Counted(7, complete=True)
    assert await controls.would_purge(JobFilter(scan=5)) == finding.Counted(5, complete=False)
    asked = world.client.read_filter('payload.to:"0","6"')
    assert await controls.would_purge(asked) == finding.Counted(2, complete=True)
    assert await controls.would_purge(msgspec.structs.replace(asked, scan=5)) == finding.Counted(1, complete=False)
    assert await controls.would_retry(JobFilter()) == finding.Counted(0, complete=True)
    for status in (Status.COMPLETED, Status.PENDING):
        with pytest.raises(BadOption, match=f"status cannot be '{status}'"):
            await controls.would_retry(JobFilter(frozenset({status})))


async def test_many_are_changed_though_pages_end_short(world: World) -> None:
    ids = await some(world, 7)
    asked = msgspec.structs.replace(world.client.read_filter('payload.to:"0","6"'), scan=2)
    assert await world.client.controls.purge(asked) == 2
    cancelled = await world.client.list("status:cancelled")
    assert [job.id for job in cancelled] == [ids[0], ids[6]]


async def test_secrets_are_not_found_out(world: World) -> None:
    await world.node(clean=Declaration(secrets=frozenset({"to"})))
    here = JobRequest("send", '{"to":"a","password":"x"}')
    elsewhere = JobRequest("clean", '{"to":"x"}')
    mine, theirs = [(await world.client.enqueue(each)).id for each in (here, elsewhere)]
    other = world.another()  # has not asked for anything yet
    for text, found in (
        ("payload.password:x", []),
        ("payload.to:x", []),
        ("payload.to:a", [mine]),
        ("-payload.to:x", [mine, theirs]),
        ('payload.to:"***"', [theirs]),
    ):
        assert [job.id for job in await other.list(text)] == found, text
