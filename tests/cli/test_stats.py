"""`ferryman stats`."""

from __future__ import annotations

from ferryman.domain.buckets import bucket_of
from ferryman.domain.series import MINUTE, Timing
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop


async def an_hour(bench: Bench) -> None:
    """Three samples: something happens before the second one."""
    start = bench.now
    await bench.store.sample(start, 1, [])
    await bench.bring(Status.COMPLETED)
    await bench.bring(Status.FAILED, type="mail", queue="post")
    await bench.add(queue="post")
    buckets = {bucket_of(2_500_000): 1}
    await bench.store.sample(
        start + MINUTE, 1, [Timing("default", "echo", start + MINUTE, {bucket_of(1500): 1}, buckets)]
    )
    await bench.store.sample(start + 2 * MINUTE, 1, [])
    bench.clock.advance(130)


def test_a_row_for_each_minute_of_which_something_is_known(shop: Shop) -> None:
    shop.one(an_hour)
    rows = shop.call("stats").rows
    assert [row[0] for row in rows] == ["2025-12-31T23:59Z", "2026-01-01T00:00Z", "2026-01-01T00:01Z"]
    assert rows[0][1:] == ["0"] * 6
    assert rows[1][1:7] == ["3", "1", "1", "0", "0", "1"]
    assert rows[2][1:] == ["0", "0", "0", "0", "0", "1"]
    assert rows[1][7].endswith("ms") and rows[1][8].startswith("2.5") and rows[1][8].endswith("s")


def test_lines_by_queue_and_type_have_their_names(shop: Shop) -> None:
    shop.one(an_hour)
    out = shop.call("stats", "--by", "both").out.splitlines()
    assert [line for line in out if not line.startswith(("AT", "20"))] == ["default echo", "post mail", "post echo"]


def test_json_is_what_http_gives(shop: Shop) -> None:
    shop.one(an_hour)
    asked = ("--queue", "post", "--type", "mail", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:02:00Z")
    found = shop.call("stats", "--json", *asked).json
    assert found["at"] == ["2026-01-01T00:00:00.000000Z", "2026-01-01T00:01:00.000000Z"]
    [line] = found["series"]
    assert (line["enqueued"], line["failed"], found["step"]) == ([1, 0], [1, 0], 60)


def test_a_time_that_is_none_is_wrong_usage_and_a_period_that_is_none_an_error(shop: Shop) -> None:
    shop.one(an_hour)
    assert shop.call("stats", "--from", "yesterday").code == 2
    result = shop.call("stats", "--to", "1999-01-01T00:00:00Z")
    assert (result.code, "FM401" in result.err) == (1, True)


def test_what_is_left_out_is_said(shop: Shop) -> None:
    async def many(bench: Bench) -> None:
        for n in range(52):
            await bench.add(queue=f"q{n}")
        await bench.store.sample(bench.now + MINUTE, 1, [])
        bench.clock.advance(60)

    shop.one(many)
    assert shop.call("stats", "--by", "queue").out.splitlines()[-1] == "2 more are left out."


def test_a_long_time_has_no_thousands_of_digits(shop: Shop) -> None:
    async def long(bench: Bench) -> None:
        at = bench.now + MINUTE
        await bench.store.sample(at, 1, [Timing("q", "t", at, {}, {bucket_of(5_000_000_000): 1})])
        bench.clock.advance(60)

    shop.one(long)
    [row] = [row for row in shop.call("stats").rows if row[-1].endswith("s")]
    assert 4800 < int(row[-1].removesuffix("s")) < 5200
