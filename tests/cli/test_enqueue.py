"""`ferryman enqueue`: what becomes a job, and what is refused."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from ferryman.domain.job import JobError
from ferryman.domain.outcome import What
from ferryman.store.protocol import Declaration
from ferryman.testing.clock import EPOCH
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def payload_of(shop: Shop, id: str) -> Any:
    return json.loads(shop.read(id.strip()).payload)


@pytest.fixture
def known(shop: Shop) -> Shop:
    """A store on which a node has registered echo and mail."""
    shop.do(lambda bench: bench.node())
    return shop


def test_a_job_is_enqueued_and_its_id_is_printed(known: Shop) -> None:
    result = known.call("enqueue", "echo", "a=1", "b=two words", 'c={"d": [true, null]}', "e=", 'f="3"', "g=x=y")
    assert (result.code, result.err) == (0, "")
    assert ID.fullmatch(result.out.strip())
    members = {"a": 1, "b": "two words", "c": {"d": [True, None]}, "e": "", "f": "3", "g": "x=y"}
    assert payload_of(known, result.out) == members


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "01", "{", "True"])
def test_what_is_no_json_is_text(known: Shop, word: str) -> None:
    assert payload_of(known, known.call("enqueue", "echo", f"a={word}").out) == {"a": word}


def test_the_job_is_printed_as_the_contract_has_it(known: Shop) -> None:
    told = known.call("enqueue", "echo", "a=1", "--json").json
    job = known.read(told["id"])
    assert (told["status"], told["payload"], told["attempt"], told["max_attempts"]) == ("pending", {"a": 1}, 0, 5)
    assert told["created_at"] == "2026-01-01T00:00:00.000000Z"
    assert job.created_at == EPOCH
    assert list(told)[:4] == ["id", "type", "queue", "priority"]
    assert len(told) == 20


def test_every_option_reaches_the_job(known: Shop) -> None:
    options = "--queue q --priority 1 --max-attempts 2 --timeout 5m --delay 2h --expires-at 2026-01-02T00:00:00Z"
    more = "--unique-key k --tag a --tag b --idempotency-key once"
    id = known.call("enqueue", "echo", *options.split(), *more.split()).out.strip()
    job = known.read(id)
    assert (job.queue, job.priority, job.max_attempts, job.unique_key, job.tags) == ("q", 1, 2, "k", ("a", "b"))
    assert (job.status, job.run_at) == ("scheduled", EPOCH + 7200 * 10**6)
    assert job.expires_at == int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) * 10**6
    known.clock.advance(7200)
    [claimed] = known.one(lambda bench: take_due(bench))
    assert (claimed.id, claimed.timeout) == (id, 300.0)
    again = known.call("enqueue", "echo", *options.split(), *more.split())
    assert again.out.strip() == id, "the idempotency key says that it is the same request"


async def take_due(bench: Bench) -> Any:
    await bench.store.promote(bench.now, 10)
    node = await bench.node()
    return (await bench.claim(node)).jobs


def test_a_taken_unique_key_is_an_error_or_the_job_that_has_it(known: Shop) -> None:
    first = known.call("enqueue", "echo", "--unique-key", "k").out
    refused = known.call("enqueue", "echo", "--unique-key", "k")
    assert (refused.code, refused.out) == (1, "")
    assert "FM312" in refused.err
    assert known.call("enqueue", "echo", "--unique-key", "k", "--on-conflict", "return").out == first


def test_run_at_schedules_a_job(known: Shop) -> None:
    told = known.call("enqueue", "echo", "--run-at", "2026-02-01T12:00:00+01:00", "--json").json
    assert (told["status"], told["run_at"]) == ("scheduled", "2026-02-01T11:00:00.000000Z")


@pytest.mark.parametrize("text", ['{"a": 1}', ' {"a":1}\n'])
def test_a_payload_is_given_whole_or_read_from_stdin(known: Shop, text: str) -> None:
    assert payload_of(known, known.call("enqueue", "echo", "--payload", text).out) == {"a": 1}
    assert payload_of(known, known.call("enqueue", "echo", "--payload", "-", stdin=text).out) == {"a": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["echo", "a"], 2, "'a' is not NAME=VALUE"),
        (["echo", "=1"], 2, "is not NAME=VALUE"),
        (["echo", "a=1", "a=2"], 2, "The argument a is given twice."),
        (["echo", "a=1", "--payload", "{}"], 2, "not both"),
        (["echo", "--payload", "[1]"], 1, "FM311"),
        (["echo", "--payload", "{"], 1, "FM400"),
        (["echo", "a=99999999999999999999"], 1, "FM307"),
        (["echo", 'a={"b":1,"b":2}'], 1, "FM308"),
        (["echo", 'a="\\u0000"'], 1, "FM306"),
        (["echo", "--priority", "12"], 1, "FM311: priority cannot be 12."),
        (["echo", "--priority", "high"], 2, "--priority"),
        (["echo", "--timeout", "soon"], 2, "'soon' is no duration"),
        (["echo", "--run-at", "tomorrow"], 2, "'tomorrow' is no time with its offset"),
        (["echo", "--delay", "1", "--run-at", "2027-01-01T00:00:00Z"], 1, "either delay or run_at"),
        (["echo", "--on-conflict", "retrun"], 2, "Did you mean return?"),
        (["echo", "--wait", "a=1"], 2, "'a=1' is no duration"),
        (["eco"], 1, "FM310: No node has ever registered the type eco.\n  why: Did you mean echo?"),
        ([], 2, "TYPE"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(known: Shop, arguments: list[str], code: int, told: str) -> None:
    result = known.call("enqueue", *arguments)
    assert (result.code, result.out) == (code, "")
    assert told in result.err
    assert "Traceback" not in result.err
    assert known.count() == 0


def test_a_payload_over_max_body_is_refused_unread(known: Shop) -> None:
    known.environ["FERRYMAN_MAX_BODY"] = "1KiB"
    text = json.dumps({"a": "x" * 2000})
    for result in (
        known.call("enqueue", "echo", "--payload", "-", stdin=text),
        known.call("enqueue", "echo", "--payload", text),
    ):
        assert result.code == 1
        assert "FM305" in result.err


# -- with a target -------------------------------------------------------------------------------


def test_a_target_declares_the_type_and_makes_the_database(shop: Shop) -> None:
    result = shop.call("enqueue", "greet", "name=Ada", "--target", shop.target())
    assert result.code == 0
    job = shop.read(result.out.strip())
    assert (job.queue, job.max_attempts) == ("letters", 3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["greet", "nam=Ada"], "FM303"),
        (["greet", "name=Ada", "time=3"], "Did you mean times?"),
        (["greet", "name=3"], "FM302"),
        (["gret", "name=Ada"], "Did you mean greet?"),
    ],
)
def test_a_target_checks_the_arguments(shop: Shop, arguments: list[str], told: str) -> None:
    result = shop.call("enqueue", *arguments, "--target", shop.target())
    assert (result.code, result.out) == (1, "")
    assert told in result.err


def test_without_a_target_a_job_is_made_as_a_node_declared_its_type(shop: Shop) -> None:
    declared = {"echo": Declaration("letters", 1, 3, frozenset({"token"}))}
    shop.do(lambda bench: bench.node(declared=declared))
    told = shop.call("enqueue", "echo", "token=hunter2", "n=1", "--json").json
    assert (told["queue"], told["priority"], told["max_attempts"]) == ("letters", 1, 3)
    assert told["payload"] == {"token": "***", "n": 1}
    assert payload_of(shop, told["id"]) == {"token": "hunter2", "n": 1}
    other = shop.read(shop.call("enqueue", "echo", "--queue", "q", "--max-attempts", "1").out.strip())
    assert (other.queue, other.priority, other.max_attempts) == ("q", 1, 1)
    [line] = shop.call("enqueue", "echo", "--lines", "-", "--json", stdin='{"n": 2}\n').out.splitlines()
    assert json.loads(line) == {"accepted": 1}
    assert {job.queue for job in shop.one(lambda bench: bench.listed())} == {"letters", "q"}


def test_without_a_target_and_a_database_nothing_is_made(shop: Shop) -> None:
    result = shop.call("enqueue", "echo")
    assert (result.code, result.out) == (3, "")
    assert "FM214" in result.err
    assert list(shop.folder.iterdir()) == []


def test_an_unknown_type_is_told_of_target(known: Shop) -> None:
    assert "--target" in known.call("enqueue", "greet").err


def test_unknown_types_are_taken_where_the_settings_say_so(shop: Shop) -> None:
    shop.environ["FERRYMAN_ACCEPT_UNKNOWN_TYPES"] = "true"
    assert shop.call("enqueue", "anything").code == 0
    assert shop.count() == 1


def test_jobs_in_memory_cannot_be_reached(shop: Shop) -> None:
    result = shop.call("enqueue", "echo", "--database-url", "memory://")
    assert result.code == 3
    assert "FM214: Jobs in memory:// cannot be reached from outside." in result.err


# -- waiting -------------------------------------------------------------------------------------


def ended_by_key(shop: Shop, what: What, **outcome: Any) -> str:
    """Enqueue by the command, under an idempotency key, and let the job end: the same command finds it ended."""
    id = shop.call("enqueue", "echo", "--idempotency-key", "k").out.strip()

    async def work(bench: Bench) -> None:
        await bench.finish(await bench.claim_one(), what, **outcome)

    shop.one(work)
    return id


def test_wait_prints_the_result(known: Shop) -> None:
    id = ended_by_key(known, What.DONE, result='{"n":1}')
    result = known.call("enqueue", "echo", "--idempotency-key", "k", "--wait")
    assert (result.code, result.out, result.err) == (0, f'{id}\n{{"n":1}}\n', "")
    told = known.call("enqueue", "echo", "--idempotency-key", "k", "--json", "--wait=10s").json
    assert (told["status"], told["result"]) == ("completed", {"n": 1})


def test_wait_for_a_job_that_fails_is_exit_1(known: Shop) -> None:
    id = known.call("enqueue", "echo", "--max-attempts", "1", "--idempotency-key", "k").out.strip()

    async def fail(bench: Bench) -> None:
        job = await bench.claim_one()
        await bench.finish(job, What.FAILED, retryable=False, error=JobError("FM501", "ValueError", "no\x1b[31m way"))

    known.one(fail)
    result = known.call("enqueue", "echo", "--max-attempts", "1", "--idempotency-key", "k", "--wait")
    assert (result.code, result.out) == (1, f"{id}\n")
    assert "FM513" in result.err
    assert "ValueError: no\\x1b[31m way" in result.err, "what a handler says cannot colour the terminal"


def test_wait_for_a_job_that_is_cancelled_is_exit_1(known: Shop) -> None:
    id = known.call("enqueue", "echo", "--idempotency-key", "k").out.strip()
    known.call("jobs", "cancel", id)
    result = known.call("enqueue", "echo", "--idempotency-key", "k", "--wait")
    assert (result.code, "FM514" in result.err) == (1, True)


def test_wait_ends_when_its_time_is_over_and_the_job_stays(known: Shop) -> None:
    result = known.call("enqueue", "echo", "--wait", "20ms")
    assert result.code == 1
    assert "FM515" in result.err
    assert known.read(result.out.strip()).status == "pending"


# -- many ----------------------------------------------------------------------------------------


def lines(shop: Shop, *texts: str, end: str = "\n") -> str:
    (shop.folder / "many.jsonl").write_bytes(end.join(texts).encode())
    return "many.jsonl"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_is_a_job(known: Shop, end: str) -> None:
    file = lines(known, *(json.dumps({"n": n}) for n in range(2500)), "", "  ", '{"n": 2500}', end=end)
    result = known.call("enqueue", "echo", "--lines", file, "--queue", "bulk", "--tag", "x")
    assert (result.code, result.out, result.err) == (0, "2501 jobs accepted.\n", "")
    listed = ["jobs", "ls", "--queue", "bulk", "--tag", "x", "--json", "--limit", "10000"]
    jobs = known.call(*listed, "--order", "asc").json
    assert sorted(job["payload"]["n"] for job in jobs) == list(range(2501))


def test_lines_come_from_stdin_too(known: Shop) -> None:
    result = known.call("enqueue", "echo", "--lines", "-", "--json", stdin='{"n":1}\n{"n":2}')
    assert result.json == {"accepted": 2}
    assert known.count() == 2


def test_an_empty_file_is_no_job(known: Shop) -> None:
    assert known.call("enqueue", "echo", "--lines", lines(known, "")).out == "0 jobs accepted.\n"


@pytest.mark.parametrize("before", [0, 1, 2, 1500])
@pytest.mark.parametrize(("wrong", "code"), [('{"n": ', "FM400"), ("[1]", "FM311"), ('{"name": 3}', "FM302")])
def test_a_wrong_line_is_named_and_those_before_it_are_accepted(shop: Shop, before: int, wrong: str, code: str) -> None:
    good = ['{"name": "Ada"}'] * before
    result = shop.call("enqueue", "greet", "--target", shop.target(), "--lines", lines(shop, *good, wrong, *good))
    assert (result.code, result.out) == (1, "")
    assert f"error {code}" in result.err
    assert f"note: Line {before + 1}; accepted: {before} job" in result.err
    assert shop.count() == before


def test_a_line_over_max_body_is_refused_in_bounded_memory(known: Shop) -> None:
    known.environ["FERRYMAN_MAX_BODY"] = "1KiB"
    file = lines(known, '{"a": 1}', json.dumps({"a": "x" * 5000}))
    result = known.call("enqueue", "echo", "--lines", file)
    assert "FM305" in result.err and "Line 2; accepted: 1 job." in result.err
    longest = '{"a": "' + "x" * (1024 - 9) + '"}'
    assert len(longest) == 1024
    result = known.call("enqueue", "echo", "--lines", lines(known, longest, longest, "wrong", end="\r\n"))
    assert "Line 3; accepted: 2 jobs." in result.err


def test_a_full_queue_ends_it_and_says_how_many_there_are(known: Shop) -> None:
    known.environ["FERRYMAN_MAX_PENDING"] = "7"
    result = known.call("enqueue", "echo", "--lines", lines(known, *["{}"] * 20))
    assert result.code == 1
    assert "FM314" in result.err and "Line 8; accepted: 7 jobs." in result.err
    assert known.count() == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--wait"], "--wait is for one job"),
        (["--unique-key", "k"], "--unique-key is for one job"),
        (["--idempotency-key", "k"], "--idempotency-key is for one job"),
        (["a=1"], "come from the lines"),
        (["--payload", "{}"], "come from the lines"),
        (["--lines", "nothing"], "nothing cannot be read: No such file"),
    ],
)
def test_lines_exclude_what_is_for_one(known: Shop, arguments: list[str], told: str) -> None:
    result = known.call("enqueue", "echo", "--lines", lines(known, "{}"), *arguments)
    assert result.code == 2
    assert told in result.err
    assert known.count() == 0


def test_a_wrong_option_is_told_before_the_bulk(known: Shop) -> None:
    result = known.call("enqueue", "echo", "--lines", lines(known, *["{}"] * 3), "--priority", "10")
    assert "FM311: priority" in result.err and "Line 1; accepted: 0 jobs." in result.err
    assert known.count() == 0


def test_progress_is_shown_on_a_terminal_only(known: Shop) -> None:
    file = lines(known, *["{}"] * 1200)
    assert known.call("enqueue", "echo", "--lines", file).err == ""
    known.terminal = True
    shown = known.call("enqueue", "echo", "--lines", file)
    assert shown.err.startswith("\r1000 jobs accepted\r1200 jobs accepted\r")
    assert shown.out == "1200 jobs accepted.\n"
