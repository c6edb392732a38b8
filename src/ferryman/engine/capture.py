"""Keeps what handlers log: the records of the standard library's logging that are made while a run is under way.

A context variable says which run that is. `async def` handlers, the tasks they start, threads of `asyncio.to_thread`
and the worker's own threads have it; a thread that a handler starts by other means has not, and is not heard.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Final

from ferryman.engine.notebook import Notebook
from ferryman.engine.running import Running

RUN: Final[ContextVar[Running | None]] = ContextVar("ferryman_run", default=None)
"""The run in whose handler this code runs."""


class Capture(logging.Handler):
    """A handler of the root logger, beside those that are there."""

    def __init__(self, notebook: Notebook, level: int | None) -> None:
        """`level` is the lowest that is kept, of what loggers let through; None keeps nothing."""
        # what it is not told it cannot hand on to standard error, where it stands in for others
        super().__init__(min(level or logging.NOTSET, logging.WARNING))
        self._notebook = notebook
        self._on = level is not None
        self._lowest = level or logging.NOTSET

    async def start(self) -> None:
        """Begin to listen."""
        if self._on:
            logging.getLogger().addHandler(self)

    async def stop(self) -> None:
        """Listen no more; idempotent."""
        logging.getLogger().removeHandler(self)

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record without the lock of other handlers: the notebook needs none.

        With it, a run whose line takes long to make would hold up whoever logs, the event loop included; and an
        exception that ends a handler's thread might leave it locked.
        """
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, if a run of this node has made it."""
        self._stand_in(record)
        running = RUN.get()
        if running is None or running.listener is not self._notebook or record.levelno < self._lowest:
            return
        try:
            self._notebook.line(running, record)
        except Exception:  # as every handler of logging: say so on standard error, and let the caller go on
            self.handleError(record)

    def _stand_in(self, record: logging.LogRecord) -> None:
        """Where there is no other handler, warnings go to standard error: that there is this one changes nothing."""
        last = logging.lastResort
        if last is None or record.levelno < last.level:
            return
        handlers = logging.getLogger().handlers
        if handlers[:1] == [self] and all(isinstance(each, Capture) for each in handlers):
            last.handle(record)
