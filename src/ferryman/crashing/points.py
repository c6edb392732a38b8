"""Where a handler can be stopped: before each of its lines, at each of its waits, and when it has ended.

A trace function sees the frames of one file, that in which the handler is written, in the thread that runs it. What
the handler calls elsewhere is one step, however long it takes.
"""

from __future__ import annotations

import dis
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import msgspec

from ferryman.engine.registry import Handler

_YIELD: Final = dis.opmap["YIELD_VALUE"]
_WAITS: Final = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class What(StrEnum):
    """What the handler is about to do, or does."""

    BEFORE = "before"
    """The line has not begun."""
    AWAIT = "await"
    """It waits: what it awaits has begun, and has not come back."""
    END = "end"
    """It has returned or raised, and nobody knows that yet."""


class Point(msgspec.Struct, frozen=True):
    """One moment of a handler."""

    file: str
    line: int
    what: What
    nth: int = 1
    """Which time it is that the handler gets there; in a loop there are many."""

    @property
    def place(self) -> str:
        """Its line, and what tells it from other points there."""
        nth = f" #{self.nth}" if self.nth > 1 else ""
        what = "" if self.what is What.BEFORE else f" {self.what}"
        return f"{self.line}{what}{nth}"

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.place}"


class Met(msgspec.Struct, frozen=True):
    """How often a handler got to one place."""

    line: int
    what: What
    times: int


class Watch:
    """Counts the points of a handler; at one of them it has the handler stand still."""

    def __init__(self, handler: Handler, stop_at: Point | None, stand: Callable[[], None]) -> None:
        """`stand` is called at the point, in the handler's thread; the handler goes on when it returns."""
        self._handler = handler
        self._code = code_of(handler)
        self._stop_at = None if stop_at is None else (stop_at.line, stop_at.what, stop_at.nth)
        self._stand = stand
        self._counts: Counter[tuple[int, What]] = Counter()
        self._waits = False
        """Whether a frame has just begun to wait: those that wait for it are at the same point."""

    @property
    def met(self) -> list[Met]:
        """Every place so far, in the order in which they were met first."""
        return [Met(line, what, times) for (line, what), times in self._counts.items()]

    def handler(self) -> Handler:
        """The handler, watched. It runs in the node's own process, even if it was declared with process=True."""
        wrap = self._watched_coroutine if self._handler.is_async else self._watched_function
        return msgspec.structs.replace(self._handler, function=wrap(self._handler.function), origin=None)

    def _watched_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def watched(*args: Any, **kwargs: Any) -> Any:
            before = sys.gettrace()
            sys.settrace(self._enter)
            try:
                return await function(*args, **kwargs)
            finally:
                sys.settrace(before)

        return watched

    def _watched_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            before = sys.gettrace()
            sys.settrace(self._enter)
            try:
                return function(*args, **kwargs)
            finally:
                sys.settrace(before)

        return watched

    def _enter(self, frame: FrameType, _event: str, _value: Any) -> Callable[..., Any] | None:
        """A frame begins, or goes on after a wait."""
        if frame.f_code.co_filename != self._code.co_filename:
            return None
        self._waits = False
        return self._step

    def _step(self, frame: FrameType, event: str, _value: Any) -> Callable[..., Any]:
        if event == "line":
            self._meet(frame.f_lineno, What.BEFORE)
        elif event == "return":
            if _is_waiting(frame):
                if not self._waits:
                    self._waits = True
                    self._meet(frame.f_lineno, What.AWAIT)
            elif frame.f_code is self._code:
                self._meet(frame.f_lineno, What.END)
        return self._step

    def _meet(self, line: int, what: What) -> None:
        self._counts[line, what] += 1
        if self._stop_at == (line, what, self._counts[line, what]):
            self._stop_at = None
            self._stand()


def code_of(handler: Handler) -> CodeType:
    """What the user has written, below all decorators that say what they wrap."""
    code: CodeType = inspect.unwrap(handler.function).__code__
    return code


def _is_waiting(frame: FrameType) -> bool:
    """Whether a frame that gives control back will go on. A generator's yield is no wait."""
    code = frame.f_code
    return bool(code.co_flags & _WAITS) and code.co_code[frame.f_lasti] == _YIELD
