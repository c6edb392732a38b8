"""`app.testing(inline=True)`: a job runs in the call that enqueues it."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from ferryman import Ferryman

START = datetime(2030, 1, 1, tzinfo=UTC)


class Inline:
    """An app whose jobs write down in which order they begin and end."""

    def __init__(self) -> None:
        self.app = Ferryman("memory://")
        self.did: list[str] = []

        @self.app.job
        async def leaf(name: str) -> str:
            self.did.append(name)
            await asyncio.sleep(0)
            return name

        @self.app.job
        def parent() -> str:
            self.did.append("parent begins")
            leaf.enqueue("child")
            self.did.append("parent ends")
            return "done"

        @self.app.job
        async def aparent() -> str:
            self.did.append("parent begins")
            await leaf.aenqueue("child")
            self.did.append("parent ends")
            return "done"

        @self.app.job(retry=10, max_attempts=2)
        async def fail() -> None:
            self.did.append("failed")
            raise LookupError("not there")

        self.leaf, self.parent, self.aparent, self.fail = leaf, parent, aparent, fail


@pytest.fixture
def inline() -> Inline:
    return Inline()


NESTED = ["parent begins", "parent ends", "child"]


def test_a_job_has_ended_when_enqueue_returns(inline: Inline) -> None:
    with inline.app.testing(inline=True):
        assert inline.leaf.enqueue("x").result() == "x"


def test_jobs_of_handlers_run_after_the_one_that_enqueued_them(inline: Inline) -> None:
    with inline.app.testing(inline=True) as queue:
        assert inline.parent.enqueue().result() == "done"
        assert inline.did == NESTED
        assert inline.aparent.enqueue().result() == "done"
        assert inline.did == NESTED * 2
        assert {job.status for job in queue.jobs()} == {"completed"}


def test_on_loops_that_are_not_the_queue_s(inline: Inline) -> None:
    async def main() -> None:
        assert await (await inline.aparent.aenqueue()).aresult() == "done"
        assert inline.did == NESTED
        assert await (await inline.parent.aenqueue()).aresult() == "done"
        assert inline.did == NESTED * 2

    with inline.app.testing(inline=True):
        asyncio.run(main())


@pytest.mark.anyio
async def test_in_coroutine_tests(inline: Inline) -> None:
    async with inline.app.testing(inline=True, start=START) as queue:
        assert await (await inline.parent.aenqueue()).aresult() == "done"
        assert inline.did == NESTED
        handles = await asyncio.gather(*(inline.leaf.aenqueue(f"{i}") for i in range(5)))
        assert [await handle.aresult() for handle in handles] == [f"{i}" for i in range(5)]
        assert (await asyncio.to_thread(inline.leaf.enqueue, "thread")).id == queue.jobs(status="completed")[-1].id
        await inline.leaf.call("later").later(60).aenqueue()
        await queue.advance(59)
        assert inline.did[-1] == "thread"
        await queue.advance(1)
        assert inline.did[-1] == "later"


def test_scheduled_jobs_run_when_the_clock_gets_there(inline: Inline) -> None:
    with inline.app.testing(inline=True, start=START) as queue:
        inline.leaf.call("second").later(60).enqueue()
        inline.leaf.call("first").later(30).enqueue()
        assert inline.did == []
        queue.advance(60)
        assert inline.did == ["first", "second"]
        assert [job.finished_at for job in queue.jobs()] == [START + timedelta(seconds=s) for s in (60, 30)]


def test_what_the_handler_raises_is_raised_by_enqueue(inline: Inline) -> None:
    with inline.app.testing(inline=True) as queue:
        with pytest.raises(LookupError, match="not there"):
            inline.fail.enqueue()
        assert queue.jobs(inline.fail)[0].status == "scheduled"
    with inline.app.testing(inline=True, raise_errors=False) as queue:
        inline.fail.enqueue()
        queue.advance(10)
        assert queue.jobs(inline.fail)[0].status == "failed"


def test_many_at_once(inline: Inline) -> None:
    with inline.app.testing(inline=True) as queue:
        assert inline.app.enqueue_many(inline.leaf.call(f"{i}") for i in range(50)) == 50
        assert len(queue.jobs(inline.leaf, "completed")) == 50


def test_a_thread_of_a_handler_waits_for_nobody(inline: Inline) -> None:
    @inline.app.job
    def starts_a_thread() -> None:
        thread = threading.Thread(target=inline.leaf.enqueue, args=("from a thread",))
        thread.start()
        thread.join()
        inline.did.append("ends")

    with inline.app.testing(inline=True):
        starts_a_thread.enqueue()
    assert inline.did == ["ends", "from a thread"]
