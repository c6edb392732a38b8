"""What is logged in a worker process goes to its node, which writes it where it writes everything."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Final

from ferryman.engine.capture import RUN
from ferryman.engine.endings import plain
from ferryman.engine.frames import Logged

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))
_KEPT: Final = ("name", "levelno", "levelname", "pathname", "filename", "module", "lineno", "funcName", "created")
"""Of the standard fields, those that mean the same in another process."""
_PLAIN: Final = (str, int, float, bool, type(None))


class Forwarding(logging.Handler):
    """The root logger's only handler in a worker process."""

    def __init__(self, send: Callable[[Logged], bool]) -> None:
        """`send` says whether there was somebody to send to."""
        super().__init__()
        self._send = send

    def install(self, level: int) -> None:
        """Take the root logger over; what an imported module did to it is undone, as a node does, too."""
        root = logging.getLogger()
        root.handlers = [self]
        root.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record. A process that a handler forked has no node; it writes to standard error."""
        try:
            if not self._send(Logged(self._portable(record), _of_run())):
                sys.stderr.write(f"{self.format(record)}\n")
        except Exception:  # as every handler of logging: say so on standard error, and let the caller go on
            self.handleError(record)

    def _portable(self, record: logging.LogRecord) -> dict[str, object]:
        """The record's fields as they can travel: the message is made here, an exception goes as text."""
        fields = vars(record)
        told = {name: _simple(value) for name, value in fields.items() if name not in _STANDARD}
        told.update({name: _simple(fields[name]) for name in _KEPT})
        told.update(msg=plain(record.getMessage()), args=None, process=record.process)
        if record.exc_info and record.exc_info[0] is not None:
            text = plain(logging.Formatter().formatException(record.exc_info))
            told.update(exc_text=text, traceback=text)  # the one for foreign formatters, the other for ours
        return told


def _of_run() -> bool:
    running = RUN.get()
    return running is not None and not running.ended


def _simple(value: object) -> object:
    if isinstance(value, str):
        return plain(value)
    return value if isinstance(value, _PLAIN) and not _too_big(value) else plain(repr(value))


def _too_big(value: object) -> bool:
    """Whether an integer is larger than a frame can hold."""
    return isinstance(value, int) and not -(2**63) <= value < 2**64
