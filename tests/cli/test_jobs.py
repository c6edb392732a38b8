"""`ferryman jobs`: ls, show, tail."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ferryman.domain import filters
from ferryman.domain.filters import JobFilter
from ferryman.domain.job import JobError
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import Declaration
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop
from tests.cli.stock import UNKNOWN, mails, some

ERROR = JobError("FM501", "ValueError", "no \x1b[31mway\nat all", "Traceback:\n\tline \x1b[31m1\nValueError")


async def fail(bench: Bench, **options: Any) -> str:
    """A job that fails on its second and last attempt."""
    id = await bench.add(max_attempts=2, **options)
    for _ in range(2):
        await bench.finish(await bench.claim_one(), What.FAILED, error=ERROR, delay=0.0)
        bench.clock.advance(90)
        await bench.store.promote(bench.now, 10)
    return id


# -- ls ------------------------------------------------------------------------------------------


def test_ls_is_a_table_with_the_newest_first(shop: Shop) -> None:
    ids = shop.one(some)
    result = shop.call("jobs", "ls")
    assert result.out.splitlines()[0].split() == ["ID", "TYPE", "QUEUE", "STATUS", "ATTEMPT", "AGE", "ERROR"]
    assert [row[:5] for row in result.rows][:4] == [
        [ids["pending"], "mail", "default", "pending", "0/5"],
        [ids["scheduled"], "echo", "default", "scheduled", "0/5"],
        [ids["processing"], "echo", "default", "processing", "1/5"],
        [ids["cancelled"], "echo", "default", "cancelled", "0/5"],
    ]
    assert [row[5] for row in result.rows] == ["1s", "2s", "3s", "4s", "5s", "6s"]
    assert (result.code, result.err) == (0, "")


def test_ls_has_the_filters_of_get_jobs(shop: Shop) -> None:
    ids = shop.one(some)

    def listed(*arguments: str) -> list[str]:
        return [row[0] for row in shop.call("jobs", "ls", *arguments).rows]

    assert listed("--type", "mail") == [ids["pending"]]
    assert listed("--status", "failed", "--status", "completed", "--order", "asc") == [ids["completed"], ids["failed"]]
    assert listed("--limit", "1", "--order", "asc") == [ids["completed"]]
    assert shop.call("jobs", "ls", "--queue", "nowhere").out == "No jobs.\n"
    assert shop.call("jobs", "ls", "--tag", "x", "--json").out == "[]\n"


def test_ls_as_json_is_what_get_jobs_answers(shop: Shop) -> None:
    ids = shop.one(some)
    told = shop.call("jobs", "ls", "--json", "--order", "asc").json
    assert [job["id"] for job in told] == list(ids.values())
    assert [job["status"] for job in told] == list(ids)
    assert all(len(job) == 20 for job in told)
    assert told[0]["payload"] == {}


def test_ls_shows_an_error_in_short_and_harmless(shop: Shop) -> None:
    shop.one(fail)
    [row] = shop.call("jobs", "ls").out.splitlines()[1:]
    assert row.endswith("2/2      3m   FM501 ValueError: no \\x1b[31mway")


def test_ls_says_when_there_may_be_more(shop: Shop) -> None:
    shop.one(some)
    assert "--limit" in shop.call("jobs", "ls", "--limit", "6").err
    assert shop.call("jobs", "ls", "--limit", "7").err == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ls", "--status", "faild"], "Did you mean failed?"),
        (["ls", "--order", "up"], "It is one of: asc, desc."),
        (["ls", "--limit", "0"], "--limit"),
        (["shwo"], "There is no command 'shwo'. Did you mean show?"),
        (["show"], "ID"),
    ],
)
def test_wrong_usage_is_exit_2(shop: Shop, arguments: list[str], told: str) -> None:
    result = shop.call("jobs", *arguments)
    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_jobs_alone_explains_itself(shop: Shop) -> None:
    result = shop.call("jobs")
    assert result.code == 0
    for name in ("ls", "show", "cancel", "retry", "tail"):
        assert f"\n  {name} " in result.out


@pytest.mark.parametrize("arguments", ["jobs ls", "jobs show x", "jobs cancel x", "jobs retry x", "jobs tail"])
def test_a_missing_database_is_exit_3_and_is_not_made(shop: Shop, arguments: str) -> None:
    result = shop.call(*arguments.split())
    assert (result.code, result.out) == (3, "")
    assert f"error FM214: There is no database {shop.path}." in result.err
    assert list(shop.folder.iterdir()) == []


def test_a_target_names_the_database(shop: Shop) -> None:
    ids = shop.one(some)
    shop.environ.clear()
    name = shop.target()
    path = shop.folder / name
    path.write_text(path.read_text().replace("Ferryman()", f"Ferryman('sqlite:///{shop.path}')"))
    assert [row[0] for row in shop.call("jobs", "ls", "--target", name, "--type", "mail").rows] == [ids["pending"]]


# -- show ----------------------------------------------------------------------------------------


def test_show_tells_everything_about_a_job(shop: Shop) -> None:
    id = shop.one(lambda bench: fail(bench, tags=("a", "b"), unique_key="k", payload='{"to":"Ada"}'))
    result = shop.call("jobs", "show", id)
    assert result.code == 0
    told = dict(line.split(maxsplit=1) for line in result.out.partition("\n\n")[0].splitlines())
    assert told["id"] == id
    assert (told["status"], told["attempt"], told["claim"]) == ("failed", "2", "2")
    assert (told["payload"], told["tags"], told["unique_key"]) == ('{"to":"Ada"}', "a, b", "k")
    assert told["error"] == "FM501 ValueError: no \\x1b[31mway\\nat all"
    assert told["created_at"] == "2026-01-01T00:00:00.000000Z (3m ago)"
    assert "result" not in told
    first, second = result.out.split("\n\n")[1:]
    assert first.startswith("claim 1: failed, then ")
    assert second.startswith("claim 2: failed, then failed\n  attempt     2\n")
    assert "  error       FM501 ValueError: no \\x1b[31mway\\nat all\n    Traceback:\n    \tline \\x1b[31m1\n" in second
    assert "\x1b" not in result.out


def test_show_as_json_adds_the_attempts(shop: Shop) -> None:
    id = shop.one(fail)
    shop.call("jobs", "retry", id)
    told = shop.call("jobs", "show", id, "--json").json
    listed = shop.call("jobs", "ls", "--json").json[0]
    attempts, progress = told.pop("attempts"), told.pop("progress")
    assert told == listed
    assert progress["done"] is None
    assert [each["what"] for each in attempts] == ["failed", "failed", "retried"]
    assert [each["claim"] for each in attempts] == [1, 2, 3]
    assert attempts[1]["error"]["traceback"] == ERROR.traceback
    assert attempts[1]["started_at"].endswith("Z")
    assert attempts[2]["started_at"] is None and attempts[2]["error"] is None


def test_show_says_when_a_scheduled_job_is_due(shop: Shop) -> None:
    ids = shop.one(some)
    shop.clock.jump(4)
    assert "(in 59m 54s)" in shop.call("jobs", "show", ids["scheduled"]).out


@pytest.mark.parametrize("id", [UNKNOWN, "what"])
def test_an_unknown_job_is_exit_1(shop: Shop, id: str) -> None:
    shop.do()
    for verb in ("show", "cancel", "retry"):
        result = shop.call("jobs", verb, id)
        assert result.code == 1
        assert f"error FM404: There is no job '{id}'" in result.err


# -- secrets -------------------------------------------------------------------------------------


def test_secrets_that_a_node_declared_are_shown_by_no_command(shop: Shop) -> None:
    async def ended(bench: Bench) -> str:
        await bench.node(declared={"echo": Declaration(secrets=frozenset({"token"}))})
        return await bench.bring(Status.FAILED, payload='{"token":"hunter2","n":1}')

    id = shop.one(ended)
    shop.pauses.append(lambda: one_more(shop.bench))
    with_json = [f"show {id}", "ls", f"retry {id}", f"cancel {id}", "tail"]
    commands = [f"show {id}", *(f"{command} --json" for command in with_json)]
    told = [shop.call("jobs", *command.split()) for command in commands]
    assert [(each.code, each.err) for each in told] == [(0, "")] * 6
    assert all('"***"' in each.out and "hunter2" not in each.out for each in told)
    assert "hunter2" in shop.read(id).payload


async def one_more(bench: Bench) -> None:
    """Enqueue a job with a secret while a command has the database open."""
    await bench.store.open()
    await bench.add(payload='{"token":"hunter2"}')
    await bench.store.close()


# -- tail ----------------------------------------------------------------------------------------


def test_tail_prints_what_changes_until_ctrl_c(shop: Shop) -> None:
    ids = shop.one(some)
    made: list[str] = []
    bench, store = shop.bench, shop.bench.store

    async def open_then(work: Any) -> None:
        await store.open()
        await work
        await store.close()

    async def enqueue_two() -> None:
        made.append(await bench.add("mail"))
        made.append(await bench.add("echo", queue="q"))

    async def complete_one() -> None:
        for job in (await bench.claim(types=frozenset({"mail"}))).jobs:
            if job.id == made[0]:
                await bench.finish(job)

    async def cancel_old() -> None:
        await store.cancel(ids["scheduled"], bench.now)

    shop.pauses = [
        lambda: open_then(enqueue_two()),
        lambda: None,
        lambda: open_then(complete_one()),
        lambda: open_then(cancel_old()),
    ]
    result = shop.call("jobs", "tail")
    assert (result.code, result.err) == (0, "")
    told = [line.split() for line in result.out.splitlines()]
    assert sorted((row[1], row[2]) for row in told) == sorted(
        [
            (made[0], "pending"),
            (made[1], "pending"),
            (made[0], "completed"),
            (ids["pending"], "processing"),
            (ids["scheduled"], "cancelled"),
        ]
    )
    assert told[-1] == ["00:00:10", ids["scheduled"], "cancelled", "0/5", "echo", "default"]


def test_tail_as_json_is_a_job_per_line_and_filters(shop: Shop) -> None:
    shop.do()
    store, bench = shop.bench.store, shop.bench

    async def happen() -> None:
        await store.open()
        await fail(bench, type="echo")
        await bench.add("mail")
        await store.close()

    shop.pauses = [happen]
    result = shop.call("jobs", "tail", "--json", "--type", "echo", "--status", "failed")
    [told] = [json.loads(line) for line in result.out.splitlines()]
    assert (told["type"], told["status"], told["error"]["code"]) == ("echo", "failed", "FM501")


def test_tail_does_not_take_old_jobs_for_new_ones_when_newer_are_pruned(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.cli.jobs.tail.WINDOW", 2)
    shop.environ["FERRYMAN_RETENTION"] = "completed=5s"

    async def three(bench: Bench) -> None:
        await bench.bring(Status.CANCELLED)
        bench.clock.advance(1)
        for _ in range(2):
            await bench.bring(Status.COMPLETED)

    shop.one(three)
    shop.pauses = [lambda: shop.clock.advance(10), lambda: None]
    assert shop.call("jobs", "tail").out == ""


# -- filters in words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["type:m*"], [0, 2]),
        (["payload.user.id:1", "-tag:x"], [2]),
        (["payload.user.id:1 -tag:x"], [2]),
        (['payload.user.name:"Anna B"'], [0]),
        (["created:<1h", "--status", "failed"], [1]),
        (["status:failed", "--type", "mail"], []),
        (["-tag:x"], [1, 2]),
    ],
)
def test_ls_takes_a_filter(shop: Shop, words: list[str], found: list[int]) -> None:
    ids = shop.one(mails)
    options = [word for word in words if word.startswith("--")]
    at = words.index(options[0]) if options else len(words)
    result = shop.call("jobs", "ls", "--order", "asc", *words[at:], "--", *words[:at])
    assert [row[0] for row in result.rows] == [ids[n] for n in found]


def test_a_filter_that_cannot_be_read_is_exit_2(shop: Shop) -> None:
    shop.one(mails)
    for command in (["ls"], ["cancel", "--yes"], ["retry", "--dry-run"], ["purge", "q"]):
        result = shop.call("jobs", *command, "type:a statsu:failed")
        assert (result.code, result.out) == (2, "")
        assert "error FM423: The filter cannot be read at column 8. There is no field 'statsu'." in result.err
        assert "Did you mean status?" in result.err


def test_ls_says_when_it_did_not_look_at_all(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = shop.one(mails)

    def parse(text: str, now: int) -> JobFilter:
        return msgspec.structs.replace(filters.parse(text, now), scan=1)

    monkeypatch.setattr("ferryman.cli.jobs.filters.filters", SimpleNamespace(parse=parse))
    result = shop.call("jobs", "ls", "payload.user.id:1")
    assert ([row[0] for row in result.rows], result.code) == ([ids[2]], 0)
    assert result.err == "There may be more: only 2 jobs were looked at. Bound the time, such as created:<7d.\n"
    assert shop.call("jobs", "cancel", "payload.user.id:1", "--yes").out == "1 job cancelled, or asked to end.\n"
