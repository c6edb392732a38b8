"""`ferryman jobs logs`, and the progress in `ferryman jobs show`."""

from __future__ import annotations

from ferryman.client.reports import PAGE
from ferryman.domain.job import MICROS
from ferryman.domain.outcome import What
from ferryman.domain.report import Line, Progress, Report
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop


async def told(bench: Bench) -> str:
    """A job with two runs that have logged, and how far the second one is."""
    job = await bench.start()
    trace = Line(bench.now, "error", "shop.mail", "not sent\nTraceback:\n  line 1\x1b[1m\n")
    first = Line(bench.now, "info", "shop.mail", "begun")
    node = await bench.home()
    await bench.store.report(node, [Report(job.id, 1, 1, job.batch, 7, None, 0, [first, trace])])
    await bench.finish(job, What.RELEASED)
    again = await bench.claim_one()
    said = Progress(3, 12, "sending", bench.now - 5 * MICROS)
    report = Report(job.id, 2, 1, again.batch, 7, said, 0, [Line(bench.now, "info", "shop", "again")], 99_500)
    await bench.store.report(node, [report])
    return job.id


def test_lines_are_printed_run_by_run(shop: Shop) -> None:
    id = shop.one(told)
    result = shop.call("jobs", "logs", id)
    assert result.code == 0
    assert result.out.splitlines() == [
        "claim 1, attempt 1:",
        "  00:00:00.000 INFO    shop.mail: begun",
        "  00:00:00.000 ERROR   shop.mail: not sent",
        "    Traceback:",
        "      line 1\\x1b[1m",
        "claim 2, attempt 1:",
        "  00:00:00.000 INFO    shop: again",
        "99,500 more were not kept.",
    ]
    assert shop.call("jobs", "logs", id, "--claim", "1").out.splitlines()[-1] == "      line 1\\x1b[1m"


def test_json_has_the_lines_as_http_has_them(shop: Shop) -> None:
    id = shop.one(told)
    told_json = shop.call("jobs", "logs", id, "--claim", "2", "--json").json
    assert told_json["dropped"] == 99_500
    [line] = told_json["lines"]
    assert (line["message"], line["claim"], line["attempt"], line["level"]) == ("again", 2, 1, "info")


def test_every_line_is_printed_however_many_there_are(shop: Shop) -> None:
    async def many(bench: Bench) -> str:
        job = await bench.start()
        lines = [Line(bench.now, "info", "shop", f"line {n}") for n in range(PAGE)]
        for first in (0, PAGE):
            report = Report(job.id, 1, 1, job.batch, 7, None, first, lines)
            await bench.store.report(await bench.home(), [report])
        return job.id

    assert len(shop.call("jobs", "logs", shop.one(many)).out.splitlines()) == 2 * PAGE + 1


def test_a_job_that_is_not_there_is_exit_1(shop: Shop) -> None:
    shop.do()
    result = shop.call("jobs", "logs", "01890a5d-ac96-774b-bcce-b302099a8057")
    assert (result.code, result.out) == (1, "")
    assert "FM404" in result.err


def test_show_says_how_far_a_job_is(shop: Shop) -> None:
    id = shop.one(told)
    assert "progress      3 of 12 (25%), sending, claim 2, 5s ago" in shop.call("jobs", "show", id).out.splitlines()
    assert shop.call("jobs", "show", id, "--json").json["progress"]["fraction"] == 0.25


def test_show_says_nothing_of_it_where_nothing_was_said(shop: Shop) -> None:
    async def counting(bench: Bench) -> str:
        job = await bench.start()
        await bench.store.report(await bench.home(), [Report(job.id, 1, 1, job.batch, 7, Progress(1500, None, "", 0))])
        return job.id

    id = shop.one(lambda bench: bench.add())
    assert "progress" not in shop.call("jobs", "show", id).out
    assert shop.call("jobs", "show", id, "--json").json["progress"]["done"] is None
    shop.call("jobs", "cancel", id)
    assert "progress      1,500, claim 1," in shop.call("jobs", "show", shop.one(counting)).out
