"""`ferryman errors`."""

from __future__ import annotations

from ferryman.domain.error_groups import group_of
from ferryman.domain.job import JobError
from ferryman.domain.outcome import What
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop

BOOM = JobError("FM501", "ValueError", "no such user: 42 \x1b[31m", frame="mail.py:send")
GROUP = group_of(BOOM).id


async def failures(bench: Bench) -> str:
    """Two groups; the latest job of the second one."""
    await bench.finish(await bench.start(queue="post"), What.FAILED, error=JobError("FM501", "KeyError", "'a'"))
    bench.clock.advance(60)
    await bench.finish(await bench.start(), What.FAILED, error=BOOM, delay=1.0)
    bench.clock.advance(1)
    job = await bench.start(type="mail")
    await bench.finish(job, What.FAILED, error=BOOM, retryable=False)
    return job.id


def test_a_line_for_each_group_the_latest_first(shop: Shop) -> None:
    shop.do()
    assert shop.call("errors").out == "Nothing has failed.\n"
    shop.one(failures)
    first, second = shop.call("errors").rows
    assert first[:4] == [GROUP, "2026-01-01T00:01:01Z", "2", "1"]
    assert " ".join(first[4:]) == r"echo, mail ValueError: no such user: <n> \x1b[<n>m"
    assert second[5:] == ["KeyError:", "<text>"]
    assert shop.call("errors", "--queue", "post").rows == [second]
    assert shop.call("errors", "--type", "m*").rows[0][2] == "1"
    assert shop.call("errors", "--limit", "1", "--to", "2026-01-01T00:00:30Z").rows == [second]
    assert [each["count"] for each in shop.call("errors", "--json").json] == [2, 1]


def test_all_that_is_known_of_one(shop: Shop) -> None:
    id = shop.one(failures)
    out = shop.call("errors", GROUP).out
    assert r"error:           FM501 ValueError: no such user: <n> \x1b[<n>m" in out
    assert "in:              mail.py:send" in out
    assert "failed attempts: 2, of these in the last 24 hours 2" in out
    assert f"latest job:      {id}" in out
    assert shop.call("errors", GROUP, "--json").json["job"] == id
    other = shop.call("errors", "--json", "--queue", "post").json[0]["group"]
    assert "in:              (nobody knows)" in shop.call("errors", other).out


def test_what_is_not_there_is_said(shop: Shop) -> None:
    shop.do()
    result = shop.call("errors", "0" * 16)
    assert (result.code, "FM425" in result.err) == (1, True)
    assert shop.call("errors", "--from", "yesterday").code == 2


def test_a_job_names_its_group(shop: Shop) -> None:
    assert f"group       {GROUP}\n" in shop.call("jobs", "show", shop.one(failures)).out
