"""The journal forgets what is old, and says so to whoever comes too late."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.store.journaling import KEPT, LISTENED, RENEWED, Change, Position, Told
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.journaling import SECOND, heard, listening


class Forgetting:
    """The journal is short, and not written where nobody listens."""

    async def test_where_nobody_listens_nothing_is_written(self, bench: Bench) -> None:
        start = await listening(bench)
        bench.clock.advance(LISTENED / SECOND)
        await bench.add()
        assert await self._gap(bench, start) == []

    async def test_who_comes_again_in_time_has_missed_nothing(self, bench: Bench) -> None:
        start = await listening(bench)
        bench.clock.advance((KEPT - SECOND) / SECOND)
        id = await bench.add()
        assert [each.id for each in await heard(bench, start)] == [id]

    async def test_who_listens_on_need_not_say_so_each_time(self, bench: Bench) -> None:
        start = await listening(bench)
        ids: list[str] = []
        for _ in range(5):
            bench.clock.advance((KEPT - RENEWED) / SECOND)
            ids.append(await bench.add())
            assert [each.id for each in await heard(bench, start)] == ids

    async def test_a_position_that_is_older_than_the_journal_is_a_gap(self, bench: Bench) -> None:
        start = await listening(bench)
        await bench.add()
        kept = (await bench.store.journal(start, bench.now)).next
        for _ in range(3):
            bench.clock.advance(KEPT / SECOND / 2)
            await bench.add()
            await heard(bench, kept)
            await bench.store.prune(bench.now, 100)
        assert await self._gap(bench, start) == []

    async def test_what_is_not_older_than_that_stays(self, bench: Bench) -> None:
        start = await listening(bench)
        ids = [await bench.add()]
        await heard(bench, start)
        bench.clock.advance((KEPT - SECOND) / SECOND)
        ids.append(await bench.add())
        await heard(bench, start)
        await bench.store.prune(bench.now, 100)
        assert [each.id for each in await heard(bench, start)] == ids

    async def test_who_has_heard_all_loses_nothing_by_a_prune(self, bench: Bench) -> None:
        await bench.add()
        start = await listening(bench)
        await bench.add()
        end = (await bench.store.journal(start, bench.now)).next
        for _ in range(4):
            bench.clock.advance(KEPT / SECOND)
            await bench.store.journal(end, bench.now - KEPT // 2)
            await bench.store.prune(bench.now, 100)
            assert not (await bench.store.journal(end, bench.now)).gap
        id = await bench.add()
        await bench.store.prune(bench.now, 100)
        assert [each.id for each in await heard(bench, end)] == [id]

    async def test_a_position_of_another_store_or_time_is_a_gap(self, bench: Bench) -> None:
        start = await listening(bench)
        for wrong in (
            start._replace(since=start.since + 1),
            start._replace(telling=start.telling + 5, place=start.place + 5),
            Position(0, 0, 0, 0),
        ):
            assert await self._gap(bench, wrong) == []

    async def _gap(self, bench: Bench, after: Position) -> Sequence[Change]:
        """What is told after a gap, and that it goes on from there."""
        told: Told = await bench.store.journal(after, bench.now)
        assert told.gap
        id = await bench.add()
        assert [each.id for each in await heard(bench, told.next)] == [id]
        return list(told.changes)
