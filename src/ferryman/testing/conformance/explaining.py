"""whereabouts: what stands before a job."""

from __future__ import annotations

from ferryman.domain.limits import TOKEN, Limit, Rule, Scope
from ferryman.store.explaining import HOLDERS_SHOWN, Whereabouts
from ferryman.testing.conformance.bench import Bench

MAIL = (Scope.TYPE, "mail")
POST = (Scope.QUEUE, "post")


class Explaining:
    """Who is ahead, and which limits hold a job back."""

    async def test_nobody_stands_before_a_job_that_is_not_there(self, bench: Bench) -> None:
        assert await bench.store.whereabouts(bench.job().id) is None

    async def test_those_ahead_are_of_its_queue_with_lower_numbers_or_earlier(self, bench: Bench) -> None:
        ids = [await bench.add(type, queue="post", priority=priority) for priority in (5, 3, 5, 9) for type in TWO]
        await bench.add(priority=0)
        told = [await bench.store.whereabouts(id) for id in ids]
        assert [each.ahead for each in told if each] == [2, 3, 0, 1, 4, 5, 6, 7]

    async def test_nothing_is_ahead_of_one_that_is_not_pending(self, bench: Bench) -> None:
        job = await bench.start(priority=9)
        await bench.add(priority=0)
        assert await bench.store.whereabouts(job.id) == Whereabouts(0, [])

    async def test_the_limits_of_a_job_and_who_holds_them(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(9))
        await bench.store.limit(*MAIL, Limit(rate=1, burst=3))
        await bench.store.limit(Scope.QUEUE, "elsewhere", Limit(1))
        await bench.store.pause(Scope.TYPE, "echo", True)
        ids = [await bench.add("mail", queue="post") for _ in range(2)]
        batch = await bench.claim()
        other = await bench.add("mail", queue="post")
        told = await bench.store.whereabouts(other)
        assert told is not None
        post, mail = told.limits
        assert (post.use.rule, post.use.processing, list(post.holders)) == (Rule(*POST, limit=Limit(9)), 2, ids)
        assert (mail.use.rule, mail.use.processing, list(mail.holders)) == (
            Rule(*MAIL, limit=Limit(rate=1, burst=3)),
            2,
            ids,
        )
        assert mail.use.bucket.level == TOKEN
        await bench.finish(batch.jobs[0])
        told = await bench.store.whereabouts(other)
        assert told is not None
        assert [list(each.holders) for each in told.limits] == [ids[1:], ids[1:]]

    async def test_only_some_holders_are_named(self, bench: Bench) -> None:
        ids = [await bench.add(queue="post") for _ in range(HOLDERS_SHOWN + 2)]
        await bench.claim(limit=1)
        bench.clock.advance(1)
        await bench.claim()
        await bench.store.limit(*POST, Limit(1))
        told = await bench.store.whereabouts(await bench.add(queue="post"))
        assert told is not None
        (holding,) = told.limits
        assert (holding.use.processing, list(holding.holders)) == (len(ids), ids[:HOLDERS_SHOWN])


TWO = ("echo", "mail")
