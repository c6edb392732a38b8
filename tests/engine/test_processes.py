"""Handlers in worker processes: they run as in a thread, and their process is reused, replaced and ended."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.domain.outcome import What
from ferryman.engine.origin import Origin
from ferryman.engine.processes import HandlerProcess
from tests.engine.processes import bench_of, error_of, gone, payload, pipe_in, process_handler, process_of

pytestmark = pytest.mark.anyio


def result(run: Any) -> Any:
    return msgspec.json.decode(run.outcome.result)


async def test_a_process_is_started_with_the_first_handler_that_needs_one_and_reused() -> None:
    async with bench_of("whoami", "double") as bench:
        await bench.enqueue("whoami", count=2)
        await bench.enqueue("double", payload(n=21))
        await bench.until_ended(3)
        first, second, third = bench.ended
        pid = result(first)["pid"]
        assert (result(first)["run"], result(second)["run"], result(third)) == (0, 1, 42)
        assert result(second)["pid"] == pid != os.getpid()
        assert result(first)["leader"] == pid, "it leads a session of its own"
        assert process_of(bench).pid == pid
    await gone(pid)


async def test_each_worker_has_a_process_of_its_own(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("waits", workers=2, stop_deadline=0.0) as bench:
            await bench.enqueue("waits", payload(path=pipe.path), count=2)
            pids = {await pipe.line(), await pipe.line()}
            assert pids == {str(process_of(bench, worker).pid) for worker in (1, 2)}


async def test_the_context_tells_what_it_tells_in_a_thread() -> None:
    async with bench_of(process_handler("context", timeout=500.0)) as bench:
        (id,) = await bench.enqueue("context", payload(word="ß"))
        await bench.until_ended(1)
        told = result(bench.ended[0])
        assert 0 < told.pop("left") <= 500
        assert told == {
            "id": id,
            "type": "context",
            "payload": {"word": "ß"},
            "claim": 1,
            "attempt": 1,
            "cancelled": False,
            "worker": f"{bench.node.id}/worker-1",
            "word": "ß",
        }


async def test_a_secret_is_in_no_error_that_comes_back() -> None:
    async with bench_of("betrays") as bench:
        await bench.enqueue("betrays", payload(token="open sesame"))
        await bench.until_ended(1)
        error = error_of(bench.ended[0].outcome)
        assert error.message == "no entry with ***"
        assert error.traceback is not None
        assert "sesame" not in error.traceback
        assert error.frame == "processes_target.py:betrays"


async def test_a_handler_without_a_timeout_has_no_deadline() -> None:
    async with bench_of(process_handler("context", timeout=None)) as bench:
        await bench.enqueue("context", payload(word=""))
        await bench.until_ended(1)
        assert result(bench.ended[0])["left"] is None


async def test_a_payload_larger_than_the_sockets_buffers_arrives() -> None:
    word = "x" * 900_000
    async with bench_of("context", max_result=10**7) as bench:
        await bench.enqueue("context", payload(word=word))
        await bench.until_ended(1)
        assert result(bench.ended[0])["word"] == word


@pytest.mark.parametrize(
    ("type", "given", "code", "told"),
    [
        ("double", {"n": "x"}, "FM508", "The payload does not fit double"),
        ("unprintable", {}, "FM503", "The result has no JSON form"),
        ("long_result", {"size": 2000}, "FM504", "The result has 2002 bytes; MAX_RESULT allows 1000."),
    ],
)
async def test_what_no_attempt_would_change_is_not_retried(
    type: str, given: dict[str, Any], code: str, told: str
) -> None:
    async with bench_of(type, max_result=1000) as bench:
        await bench.enqueue(type, payload(**given))
        await bench.until_ended(1)
        outcome = bench.ended[0].outcome
        assert (error_of(outcome).code, outcome.retryable) == (code, False)
        assert told in error_of(outcome).message


@pytest.mark.parametrize(
    ("what", "ends", "code", "delay"),
    [
        ("refused", What.FAILED, "FM501", 7.0),
        ("key", What.FAILED, "FM501", 0.5),
        ("value", What.FAILED, "FM501", None),
        ("retry", What.FAILED, "FM501", 3.0),
        ("exit", What.FAILED, "FM509", 0.5),
        ("snooze", What.SNOOZED, None, 4.0),
        ("cancel", What.CANCELLED, "FM514", None),
    ],
)
async def test_what_a_handler_raises_means_what_it_means_elsewhere(
    what: str, ends: What, code: str | None, delay: float | None
) -> None:
    async with bench_of("raises", "double") as bench:
        await bench.enqueue("raises", payload(what=what))
        await bench.enqueue("double", payload(n=1))
        await bench.until_ended(2)
        outcome = bench.ended[0].outcome
        assert (outcome.what, outcome.error and outcome.error.code, outcome.delay) == (ends, code, delay)
        assert bench.ended[1].outcome.what is What.DONE
        if what == "refused":
            trace = error_of(outcome).traceback or ""
            assert "in raises" in trace
            assert "child.py" not in trace, "it begins with the handler"


async def test_what_is_logged_in_the_process_is_logged_by_the_node(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with bench_of("logs") as bench:
            (id,) = await bench.enqueue("logs")
            await bench.until_ended(1)
            pid = process_of(bench).pid
    told, odd, wrong = [record for record in caplog.records if record.name in ("ferryman.handler", "shop")]
    assert (told.getMessage(), told.levelname, told.process) == ("to people", "INFO", pid)
    assert told.__dict__["job_id"] == id
    assert told.filename == "processes_target.py"
    assert [odd.__dict__[name] for name in ("n", "thing", "big", "bad")] == [1, "{1, 2}", str(2**70), "\\ud800"]
    assert "ValueError: caught" in (wrong.exc_text or "")
    assert wrong.__dict__["traceback"] == wrong.exc_text


async def test_a_module_that_sets_up_a_log_of_its_own_logs_through_the_node_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "loud.py"
    file.write_text(
        "import logging\n"
        "from ferryman import Ferryman\n"
        "app = Ferryman()\n"
        "logging.getLogger().handlers = []\n"
        "logging.getLogger().setLevel('CRITICAL')\n"
        "@app.job(process=True)\n"
        "def double(n: int) -> None: logging.getLogger('loud').info('heard')\n"
    )
    with caplog.at_level(logging.INFO):
        async with bench_of(process_handler("double", origin=Origin("loud", str(file), "double"))) as bench:
            await bench.enqueue("double", payload(n=1))
            await bench.until_ended(1)
    assert [record.getMessage() for record in caplog.records if record.name == "loud"] == ["heard"]


async def test_the_nodes_loggers_decide_what_is_written(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), caplog.at_level(logging.ERROR, "shop"):
        async with bench_of("logs") as bench:
            await bench.enqueue("logs")
            await bench.until_ended(1)
    assert [record.getMessage() for record in caplog.records if record.name == "shop"] == ["went wrong"]


async def test_standard_output_is_the_handlers_to_spoil(capfd: pytest.CaptureFixture[str]) -> None:
    async with bench_of("closes_stdout", "double") as bench:
        await bench.enqueue("closes_stdout")
        await bench.enqueue("double", payload(n=1))
        await bench.until_ended(2)
        assert {run.outcome.what for run in bench.ended} == {What.DONE}
    assert "garbage" in capfd.readouterr().out


async def test_what_a_handler_printed_is_seen_even_if_its_process_is_killed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("speaks", stop_deadline=60.0) as bench:
            await bench.enqueue("speaks", payload(text="last words", path=pipe.path))
            assert await pipe.line() == "said"
            process_of(bench).kill()
            await bench.until_ended(1)
    assert "last words" in capfd.readouterr().out


# -- replacing -----------------------------------------------------------------------------------


async def test_a_process_is_replaced_after_so_many_runs() -> None:
    async with bench_of("whoami", process_max_jobs=2) as bench:
        await bench.enqueue("whoami", count=5)
        await bench.until_ended(5)
        pids = [result(run)["pid"] for run in bench.ended]
        assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
        await gone(pids[0])
        assert [result(run)["run"] for run in bench.ended] == [0, 1, 0, 1, 0]


async def test_a_process_that_has_grown_is_replaced_once_its_run_has_ended() -> None:
    limit = 150 * 1024 * 1024
    async with bench_of("grows", process_max_rss=limit) as bench:
        for count, megabytes in enumerate((0, 0, 200, 0), 1):
            await bench.enqueue("grows", payload(megabytes=megabytes))
            await bench.until_ended(count)
        small, same, grown, after = [result(run) for run in bench.ended]
        assert small == same == grown != after
        await gone(grown)


async def test_a_process_that_does_not_end_when_its_work_is_done_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ferryman.engine.processes.RETIRE_WITHIN", 0.05)
    async with bench_of("leaves_a_thread", process_max_jobs=1) as bench:
        await bench.enqueue("leaves_a_thread")
        await bench.until_ended(1)
        await gone(result(bench.ended[0]))


async def test_what_a_handler_leaves_running_ends_with_its_process(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("leaves_a_process", "double") as bench:
            await bench.enqueue("leaves_a_process", payload(path=pipe.path))
            assert await pipe.line() == "up"
            await bench.enqueue("double", payload(n=1))
            await bench.until_ended(2)
            left = result(bench.ended[0])
            os.kill(left, 0)  # it lives on while the process does
        await gone(left)


async def test_a_fork_that_comes_back_as_if_it_were_the_handler_says_nothing() -> None:
    async with bench_of("comes_back_twice", "double") as bench:
        for n in range(3):
            await bench.enqueue("comes_back_twice")
            await bench.enqueue("double", payload(n=n))
        await bench.until_ended(6)
        assert [result(run) for run in bench.ended] == ["parent", 0, "parent", 2, "parent", 4]


async def test_a_process_of_which_the_kernel_gives_no_descriptor_is_waited_for_by_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    ended: list[HandlerProcess] = []
    async with bench_of("ends_its_process", "whoami") as bench:
        await bench.enqueue("ends_its_process", payload(how="always exit"), max_attempts=1)
        await bench.enqueue("whoami")
        await bench.until_ended(2)
        assert error_of(bench.ended[0].outcome).code == "FM517"
        ended.append(process_of(bench))
    assert ended[0].ended.done()
    assert ended[0]._popen.returncode == 0
