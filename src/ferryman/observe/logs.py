"""Log lines for people (text) and for machines (JSON), formatted and written off the hot path.

A log call only puts its record into a bounded queue; one thread does the rest. A process that logs faster
than its stream takes loses lines, never memory or jobs, and the log says how many.
"""

from __future__ import annotations

import logging
import queue
import sys
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import IO, Final, Literal, cast

import msgspec

Format = Literal["auto", "text", "json"]

BACKLOG: Final = 10_000
"""How many lines may wait to be written."""

_OWN: Final = "ferryman"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "event", "traceback"}
"""What every record has, and what is written in a place of its own; whatever else it has is a field."""


def configure(
    level: str, format: Format = "auto", stream: IO[str] | None = None, *, lowest: str | None = None
) -> LogPipe:
    """Send every log line of this process through one pipe, in place of the handlers there were.

    Args:
        level: debug, info, warning or error.
        format: text, json, or auto: text where the stream is a terminal.
        stream: where to; standard error if not given, as standard output has the ready line alone.
        lowest: the level from which on others want to hear lines, too, if that is lower.
    """
    out: IO[str] = sys.stderr if stream is None else stream
    text = out.isatty() if format == "auto" else format == "text"
    pipe = LogPipe(out, TextFormatter() if text else JsonFormatter())
    pipe.start(level, lowest)
    return pipe


class LogPipe:
    """The root logger's only handler while it is started."""

    def __init__(self, stream: IO[str], formatter: logging.Formatter) -> None:
        waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        writer = logging.StreamHandler(stream)
        writer.setFormatter(formatter)
        self._sender = Sender(waiting)
        self._listener = QueueListener(waiting, writer)
        self._before: tuple[int, list[logging.Handler]] | None = None

    def start(self, level: str, lowest: str | None = None) -> None:
        """Take the root logger over. It lets lines through from `lowest` on, if that is lower than our own level."""
        root = logging.getLogger()
        if self._before is None:
            self._before = root.level, root.handlers
            root.handlers = [self._sender]
            self._listener.start()
        self._sender.setLevel(level.upper())
        root.setLevel((lowest or level).upper())
        root.setLevel(min(root.level, self._sender.level))

    def stop(self) -> None:
        """Write what waits, then give the root logger back as it was."""
        if self._before is not None:
            root = logging.getLogger()
            level, root.handlers = self._before
            root.setLevel(level)
            self._before = None
            self._listener.stop()


class Sender(QueueHandler):
    """Puts records into the queue as they are; the thread at the other end makes lines of them."""

    def __init__(self, waiting: queue.SimpleQueue[logging.LogRecord]) -> None:
        super().__init__(cast("queue.Queue[logging.LogRecord]", waiting))
        self._waiting = waiting
        self._dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Our own records wait as they are; a stranger's arguments may change until the line is made."""
        if record.args and not record.name.startswith(_OWN):
            record.msg = record.getMessage()
            record.args = None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never wait, and never grow without bound."""
        if self._waiting.qsize() >= BACKLOG:
            self._dropped += 1
            return
        if self._dropped:
            lost = {"name": _OWN, "levelname": "WARNING", "msg": f"{self._dropped} log lines were dropped."}
            self._waiting.put_nowait(logging.makeLogRecord({**lost, "event": "log_dropped"}))
            self._dropped = 0
        self._waiting.put_nowait(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, event, logger, message, then whatever the record has besides."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a value without JSON form is written as Python shows it."""
        line = {
            "ts": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "log"),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        traceback = _traceback(self, record)
        if traceback:
            line["traceback"] = traceback
        try:
            return msgspec.json.encode(line, enc_hook=repr).decode()
        except (
            Exception
        ):  # lone surrogates, numbers or keys that have no JSON form: a log line must come out all the same
            return msgspec.json.encode({name: ascii(value) for name, value in line.items()}).decode()


class TextFormatter(logging.Formatter):
    """One line for eyes: the time of day, the level, the message, the fields; a traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        line = f"{at:%H:%M:%S}.{at.microsecond // 1000:03} {record.levelname:<7} {record.getMessage()}{fields}"
        traceback = _traceback(self, record)
        return f"{line}\n{traceback}" if traceback else line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback of the exception under way, or of one that was kept as text."""
    if record.exc_info and record.exc_info[0] is not None:
        return formatter.formatException(record.exc_info)
    return str(getattr(record, "traceback", None) or "").rstrip()
