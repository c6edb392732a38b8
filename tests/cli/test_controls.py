"""`ferryman jobs reprioritise`, `reschedule`, `move`, `purge`, `retry --rate`; `ferryman queues drain`."""

from __future__ import annotations

import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop


async def three(bench: Bench) -> list[str]:
    """Two of one type, one of another; the second is scheduled."""
    return [await bench.add(), await bench.bring(Status.SCHEDULED), await bench.add("mail", queue="q")]


async def failed(bench: Bench) -> list[str]:
    """Three failed jobs."""
    return [await bench.bring(Status.FAILED, unique_key=f"k{n}") for n in range(3)]


def test_reprioritise_by_id_says_what_became_of_each(shop: Shop) -> None:
    ids = shop.one(three)
    result = shop.call("jobs", "reprioritise", ids[0], ids[1], "--to", "0")
    assert (result.code, result.out) == (0, f"{ids[0]} pending\n{ids[1]} scheduled\n")
    assert [shop.read(id).priority for id in ids] == [0, 0, 5]
    assert shop.call("jobs", "reprioritise", ids[2], "--to", "9", "--json").json[0]["priority"] == 9


def test_reprioritise_by_filter(shop: Shop) -> None:
    ids = shop.one(three)
    result = shop.call("jobs", "reprioritise", "--type", "echo", "--to", "1", "--yes")
    assert (result.code, result.out) == (0, "2 jobs changed.\n")
    assert [shop.read(id).priority for id in ids] == [1, 1, 5]


def test_only_what_waits_is_changed(shop: Shop) -> None:
    [id] = shop.do(lambda bench: bench.bring(Status.FAILED))
    result = shop.call("jobs", "reprioritise", id, "--to", "1")
    assert (result.code, result.out) == (1, "")
    assert f"error FM409: Job {id} is failed." in result.err
    assert shop.call("jobs", "move", "--status", "failed", "--to", "q", "--yes").code == 2


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [("--delay 2h", 7200), ("--at 2026-01-01T01:00:00Z", None), ("--now", 0)],
)
def test_reschedule_takes_one_time(shop: Shop, arguments: str, seconds: int | None) -> None:
    ids = shop.one(three)
    result = shop.call("jobs", "reschedule", ids[1], *arguments.split())
    assert result.code == 0, result.err
    job = shop.read(ids[1])
    if seconds is None:
        assert job.run_at == 1_767_229_200 * MICROS
    else:
        assert job.run_at == shop.clock.now() + seconds * MICROS
    assert job.status is (Status.PENDING if seconds == 0 else Status.SCHEDULED)


@pytest.mark.parametrize("arguments", ["", "--now --delay 5", "--delay soon", "--at soon"])
def test_reschedule_wants_to_know_when(shop: Shop, arguments: str) -> None:
    ids = shop.one(three)
    assert shop.call("jobs", "reschedule", ids[0], *arguments.split()).code == 2


def test_move_puts_jobs_into_another_queue(shop: Shop) -> None:
    ids = shop.one(three)
    assert shop.call("jobs", "move", "--queue", "default", "--to", "bulk", "--yes", "--json").json == {"changed": 2}
    assert [shop.read(id).queue for id in ids] == ["bulk", "bulk", "q"]
    assert "error FM311: queue cannot be 'a b'." in shop.call("jobs", "move", ids[0], "--to", "a b").err


def test_purge_cancels_what_waits_in_one_queue(shop: Shop) -> None:
    ids = shop.one(three)
    result = shop.call("jobs", "purge", "default", "--yes")
    assert (result.code, result.out) == (0, "2 jobs cancelled.\n")
    assert [shop.read(id).status for id in ids] == ["cancelled", "cancelled", "pending"]
    assert shop.call("jobs", "purge", "q", "--type", "echo", "--yes").out == "0 jobs cancelled.\n"


def test_purge_asks_first(shop: Shop) -> None:
    ids = shop.one(three)
    result = shop.call("jobs", "purge", "default")
    assert (result.code, shop.read(ids[0]).status) == (2, "pending")
    assert "error FM122: Nobody can be asked whether to purge every job that fits." in result.err
    shop.terminal = True
    result = shop.call("jobs", "purge", "default", stdin="n\n")
    assert "Purge 2 jobs? [y/N]" in result.err
    assert (result.code, shop.read(ids[0]).status) == (1, "pending")
    assert shop.call("jobs", "purge", "default", stdin="y\n").code == 0
    assert shop.read(ids[0]).status == "cancelled"


def test_retry_at_a_rate_spreads_the_jobs(shop: Shop) -> None:
    ids = shop.one(failed)
    result = shop.call("jobs", "retry", "--type", "echo", "--rate", "30/m", "--yes")
    assert (result.code, result.out) == (0, "3 jobs sent back at 30/m.\n")
    jobs = [shop.read(id) for id in ids]
    assert [job.status for job in jobs] == ["pending", "scheduled", "scheduled"]
    assert [job.run_at for job in jobs[1:]] == [shop.clock.now() + n * 2 * MICROS for n in (1, 2)]


def test_retry_at_a_rate_tells_of_jobs_that_cannot_be(shop: Shop) -> None:
    async def taken(bench: Bench) -> None:
        await bench.add(unique_key="k1")

    shop.do(failed)
    shop.do(taken)
    result = shop.call("jobs", "retry", "--type", "echo", "--rate", "1", "--yes")
    assert (result.code, result.out) == (1, "2 jobs sent back at 1/s.\n")
    assert "error FM409: 1 job could not be retried." in result.err


@pytest.mark.parametrize("rate", ["", "fast", "5/w", "0", "-1/s", "1e9", "nan"])
def test_what_is_no_rate_is_exit_2(shop: Shop, rate: str) -> None:
    shop.do(failed)
    assert shop.call("jobs", "retry", "--type", "echo", f"--rate={rate}", "--yes").code == 2


def test_a_rate_is_for_many(shop: Shop) -> None:
    ids = shop.one(failed)
    result = shop.call("jobs", "retry", ids[0], "--rate", "1")
    assert (result.code, "A rate is for many jobs" in result.err) == (2, True)


def test_drain_says_whether_a_queue_is_empty(shop: Shop) -> None:
    async def half(bench: Bench) -> None:
        job = await bench.start(queue="r")
        await bench.finish(job, What.SNOOZED, delay=60.0)
        await bench.add(queue="q")

    shop.do(half)
    result = shop.call("queues", "drain", "r")
    assert (result.code, result.out) == (0, "Nothing of r waits or runs.\n")
    result = shop.call("queues", "drain", "q", "--timeout", "0s")
    assert (result.code, result.out) == (1, "1 job of q still pending or processing.\n")


def test_an_unknown_command_of_queues_is_exit_2(shop: Shop) -> None:
    result = shop.call("queues", "drian", "q")
    assert (result.code, "Did you mean" in result.err) == (2, True)
