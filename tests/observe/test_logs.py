"""Log lines: their two forms, and that nothing stops or loses them without saying so."""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
import queue
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from ferryman.observe import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def configured(
    level: str = "info", format: Literal["auto", "text", "json"] = "json", stream: io.StringIO | None = None
) -> Iterator[io.StringIO]:
    """Logging as a served process has it; every line is in the stream afterwards."""
    stream = stream or io.StringIO()
    pipe = logs.configure(level, format, stream)
    try:
        yield stream
    finally:
        pipe.stop()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_json_line_has_its_fields() -> None:
    with configured() as stream:
        extra = {"event": "job_failed", "job_id": "j", "type": "t", "attempt": 2, "worker_id": None}
        logging.getLogger("ferryman.jobs").warning("Attempt %d failed", 2, extra=extra)
    [line] = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("ts"))
    assert line == {
        "level": "warning",
        "event": "job_failed",
        "logger": "ferryman.jobs",
        "message": "Attempt 2 failed",
        "job_id": "j",
        "type": "t",
        "attempt": 2,
    }


@pytest.mark.parametrize(("level", "lowest"), [("warning", "debug"), ("warning", None), ("warning", "error")])
def test_others_may_hear_lines_that_are_not_written(level: str, lowest: str | None) -> None:
    stream = io.StringIO()
    pipe = logs.configure(level, "json", stream, lowest=lowest)
    heard = queue.SimpleQueue[logging.LogRecord]()
    other = logging.handlers.QueueHandler(heard)
    logging.getLogger().addHandler(other)
    try:
        logging.getLogger("shop").debug("quiet")
        logging.getLogger("shop").warning("loud")
    finally:
        logging.getLogger().removeHandler(other)
        pipe.stop()
    assert [line["message"] for line in lines(stream)] == ["loud"]
    assert heard.qsize() == (2 if lowest == "debug" else 1)


def test_a_line_without_event_has_a_plain_one() -> None:
    with configured() as stream:
        logging.getLogger("somebody.else").info("hello %s", "you")
    [line] = lines(stream)
    assert (line["event"], line["logger"], line["message"]) == ("log", "somebody.else", "hello you")


def test_a_text_line_is_for_eyes() -> None:
    with configured(format="text") as stream:
        extra = {"event": "job_failed", "job_id": "j", "attempt": 2, "node": None}
        logging.getLogger("ferryman.jobs").error("It failed", extra=extra)
    pattern = r"\d\d:\d\d:\d\d\.\d{3} ERROR   It failed  job_id=j  attempt=2\n"
    assert re.fullmatch(pattern, stream.getvalue())


def test_auto_is_text_on_a_terminal_and_json_elsewhere() -> None:
    with configured(format="auto", stream=Terminal()) as stream:
        logging.getLogger("ferryman").info("hello")
    assert stream.getvalue().endswith("INFO    hello\n")
    with configured(format="auto") as stream:
        logging.getLogger("ferryman").info("hello")
    assert lines(stream)[0]["message"] == "hello"


def test_the_default_stream_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    pipe = logs.configure("info", "json")
    logging.getLogger("ferryman").info("hello")
    pipe.stop()
    captured = capsys.readouterr()
    assert (captured.out, json.loads(captured.err)["message"]) == ("", "hello")


def test_the_level_is_kept_to() -> None:
    with configured("warning") as stream:
        logging.getLogger("ferryman").info("no")
        logging.getLogger("ferryman").warning("yes")
    assert [line["message"] for line in lines(stream)] == ["yes"]


@pytest.mark.parametrize("format", ["text", "json"])
def test_tracebacks_come_along(format: Literal["text", "json"]) -> None:
    with configured(format=format) as stream:
        try:
            raise ValueError("boom")
        except ValueError:
            logging.getLogger("ferryman").exception("It broke")
        logging.getLogger("ferryman").error("Earlier", extra={"traceback": "Traceback: kept\n"})
        logging.getLogger("ferryman").error("None", exc_info=None, extra={"traceback": None})
    if format == "text":
        assert "It broke\nTraceback (most recent call last):\n" in stream.getvalue()
        assert "Earlier\nTraceback: kept\n" in stream.getvalue()
        assert stream.getvalue().endswith("None\n")
    else:
        first, second, third = lines(stream)
        assert first["traceback"].startswith("Traceback (most recent call last):")
        assert first["traceback"].endswith("ValueError: boom")
        assert second["traceback"] == "Traceback: kept"
        assert "traceback" not in third


def test_a_value_without_json_form_is_shown_as_python_shows_it() -> None:
    with configured() as stream:
        logging.getLogger("ferryman").info("x", extra={"thing": {1, 2}.__class__, "job_id": "j"})
        logging.getLogger("ferryman").info("lone \udcff", extra={"job_id": "\ud800"})
    first, second = lines(stream)
    assert (first["thing"], first["job_id"]) == ("<class 'set'>", "j")
    assert "\\udcff" in second["message"]
    assert "\\ud800" in second["job_id"]


def test_a_strangers_arguments_are_taken_at_once_and_ours_when_the_line_is_made() -> None:
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    sender = logs.Sender(waiting)
    for name in ("somebody.else", "ferryman.jobs"):
        sender.handle(logging.LogRecord(name, logging.INFO, "", 0, "%s", ([1],), None))
    assert [waiting.get().args for _ in range(2)] == [None, ([1],)]


def test_lines_beyond_the_bound_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BACKLOG", 2)
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    sender = logs.Sender(waiting)

    def log(text: str) -> None:
        sender.handle(logging.LogRecord("ferryman", logging.INFO, "", 0, text, (), None))

    for text in ("1", "2", "3", "4"):
        log(text)
    assert [waiting.get().msg for _ in range(2)] == ["1", "2"]
    log("5")
    log("6")
    log("7")
    told, kept = waiting.get(), waiting.get()
    assert (told.getMessage(), kept.msg) == ("2 log lines were dropped.", "5")
    assert json.loads(logs.JsonFormatter().format(told))["event"] == "log_dropped"
    assert waiting.empty()


def test_stop_gives_the_root_logger_back_and_tolerates_twice() -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    pipe = logs.configure("debug", "json", io.StringIO())
    pipe.start("error")
    assert root.level == logging.ERROR
    assert len(root.handlers) == 1
    pipe.stop()
    pipe.stop()
    assert (root.level, list(root.handlers)) == before
    logs.LogPipe(sys.stderr, logging.Formatter()).stop()
