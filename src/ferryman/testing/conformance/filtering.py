"""list with a filter: every store finds what the filter itself says, in pages that look at a bounded number of jobs."""

from __future__ import annotations

from itertools import cycle, product
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferryman.domain.filters import JobFilter, Span, parse
from ferryman.domain.job import MICROS, Job
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.clock import EPOCH
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.drawn_filters import ERRORS, error, filters

PAYLOADS: Final = (
    '{"a":1}',
    '{"a":1.0,"b":"a b"}',
    '{"a":"1","x y":-0.0}',
    '{"a":true,"b":null}',
    '{"a":{"b":"mail","a":[0,"a",{"0":"a"}]}}',
    '{"a.b":"\\u00df","0":18446744073709551615}',
    '{"b":1e300,"a":["a",1.5]}',
    '{"a":"\\u0000"}',
    "{}",
)
TAGS: Final = ((), ("a",), ("a b", "a,b"), ('"', "A", "\u00df"))
ENDS: Final = (What.DONE, What.FAILED, What.CANCELLED, None)
_TIMES: Final = st.integers(-2, 150).map(lambda seconds: EPOCH + seconds * MICROS)


class Filtering:
    """Stores that use an index, or none, find the same jobs."""

    @settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(asked=filters(_TIMES), page=st.tuples(st.integers(1, 12), st.integers(1, 40), st.booleans()))
    async def test_a_store_finds_what_fits(self, bench: Bench, asked: JobFilter, page: tuple[int, int, bool]) -> None:
        await fill(bench)
        limit, scan, newest_first = page
        fits = asked.judge()
        expected = [job.id for job in await bench.listed(newest_first=newest_first) if fits(job)]
        asked = msgspec.structs.replace(asked, limit=limit, scan=scan, newest_first=newest_first)
        assert [job.id for job in await followed(bench, asked)] == expected

    async def test_a_page_ends_where_too_many_did_not_fit(self, bench: Bench) -> None:
        ids = [await bench.add(payload=f'{{"n":{n}}}') for n in range(7)]
        asked = msgspec.structs.replace(parse("payload.n:5", bench.now), scan=3)
        expected: tuple[tuple[list[str], int, str | None], ...] = (
            ([], 3, ids[2]),
            ([ids[5]], 4, ids[6]),
            ([], 0, None),
        )
        for each in expected:
            page = await bench.store.list(asked, bench.now)
            assert ([job.id for job in page], page.looked_at, page.next) == each
            asked = msgspec.structs.replace(asked, after=page.next)

    @pytest.mark.parametrize("newest_first", [False, True])
    async def test_ids_out_of_the_range_are_not_looked_at(self, bench: Bench, newest_first: bool) -> None:
        ids = []
        for _ in range(6):
            ids.append(await bench.add())
            bench.clock.advance(1)
        start, end = EPOCH + 2 * MICROS, EPOCH + 4 * MICROS
        found = await bench.store.list(JobFilter(created=Span(start, end), newest_first=newest_first), bench.now)
        assert [job.id for job in found] == (ids[2:4][::-1] if newest_first else ids[2:4])
        assert (found.looked_at, found.next) == (2, None)

    async def test_a_page_that_is_full_says_where_the_next_one_starts(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(3)]
        page = await bench.store.list(JobFilter(limit=2), bench.now)
        assert ([job.id for job in page], page.next, page.looked_at) == (ids[:2], ids[1], 2)
        rest = await bench.store.list(JobFilter(limit=2, after=page.next), bench.now)
        assert (rest[0].id, len(rest), rest.next) == (ids[2], 1, None)
        assert page[1:] == [page[1]]
        assert page == await bench.store.list(JobFilter(limit=2), bench.now)
        assert page not in (rest, list(page))

    async def test_nothing_is_looked_at_where_nothing_can_fit(self, bench: Bench) -> None:
        await bench.add()
        for text in ("status:failed status:pending", "status:pending finished:<1h"):
            page = await bench.store.list(parse(text, bench.now), bench.now)
            assert (list(page), page.next, page.looked_at) == ([], None, 0)
        assert not await bench.store.list(JobFilter(limit=0), bench.now)

    async def test_jobs_of_other_queues_and_types_are_not_looked_at(self, bench: Bench) -> None:
        await bench.add("mail", queue="letters", tags=("a",))
        id = await bench.add("mail", queue="mail")
        await bench.add("echo", queue="mail", tags=("a",))
        for text, looked_at in (("queue:mail type:mail tag:a", 1), ("-queue:letters tag:b", 2), ("queue:no tag:a", 0)):
            page = await bench.store.list(parse(text, bench.now), bench.now)
            assert (list(page), page.next, page.looked_at) == ([], None, looked_at)
        asked = msgspec.structs.replace(parse("queue:mail type:mail tag:a", bench.now), scan=1)
        assert (await bench.store.list(asked, bench.now)).next == id, "where to go on is no job of another queue"

    async def test_a_star_in_a_type_is_any_text(self, bench: Bench) -> None:
        ids = [await bench.add(type) for type in ("mail", "mail.eu", "echo")]
        assert [job.id for job in await bench.listed(types=frozenset({"mail*"}))] == ids[:2]
        assert [job.id for job in await bench.listed(types=frozenset({"mail.*", "e*o"}))] == ids[1:]

    async def test_secrets_are_not_found_out(self, bench: Bench) -> None:
        id = await bench.add(payload='{"pin":7}')
        hidden = {"echo": frozenset({"pin"})}
        for text, expected in (("payload.pin:7", []), ("-payload.pin:7", [id]), ('payload.pin:"***"', [id])):
            asked = msgspec.structs.replace(parse(text, bench.now), secrets=hidden)
            assert [job.id for job in await bench.store.list(asked, bench.now)] == expected


async def followed(bench: Bench, asked: JobFilter) -> list[Job]:
    """All pages, one after the other, each of which must have kept its bounds."""
    found: list[Job] = []
    while True:
        page = await bench.store.list(asked, bench.now)
        assert len(page) <= asked.limit
        assert page.looked_at - len(page) <= asked.scan
        found += page
        if page.next is None:
            return found
        assert asked.after is None or (page.next < asked.after) is asked.newest_first
        asked = msgspec.structs.replace(asked, after=page.next)


async def fill(bench: Bench) -> None:
    """Jobs of many kinds, made over longer than some are kept; unless they are there already."""
    if await bench.listed():
        return
    queues, types, errors = (cycle(each) for each in (("a", "mail", "x:y"), ("echo", "mail"), ERRORS))
    tags = cycle(TAGS)
    for payload, end in product(PAYLOADS, ENDS):
        job = await bench.start(type=next(types), payload=payload, tags=next(tags), queue=next(queues))
        bench.clock.advance(4)
        if end is What.FAILED:
            await bench.finish(job, end, error=error(next(errors)), retryable=False)
        elif end is not None:
            await bench.finish(job, end)
    for status in (Status.SCHEDULED, Status.CANCELLED, Status.PENDING):
        await bench.bring(status, queue="a", payload=PAYLOADS[0])
