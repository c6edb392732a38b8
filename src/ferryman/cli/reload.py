"""Runs a process, starts it again at each change, and ends it in order.

    child runs -- a change --> SIGTERM, wait for its end --> start it again
               -- it ends by itself --> wait for a change --> start it again
               -- SIGINT, SIGTERM --> SIGTERM, wait for its end --> its exit code

The child has a process group of its own: Ctrl-C in a terminal reaches this process only, which passes on
one signal for each that it gets. A second one makes the child end at once, as it would by itself.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_KILLED: Final = 128
"""What is added to a signal's number for the exit code of whom it killed, as shells do."""


class Reloader:
    """One child at a time."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Process]],
        changed: Callable[[], Coroutine[Any, Any, Path]],
        say: Callable[[str], None],
    ) -> None:
        """`changed` waits for the next change of a file."""
        self._start = start
        self._changed = changed
        self._say = say
        self._child: Process | None = None
        self._asked = asyncio.Event()

    async def run(self) -> int:
        """Go on until a signal; gives the exit code of the last child."""
        with _on_signals(self._stop):
            while True:
                code = await self._life()
                if self._asked.is_set():
                    return code

    def _stop(self) -> None:
        """Once for each signal."""
        self._asked.set()
        self._terminate()

    def _terminate(self) -> None:
        if self._child is not None and self._child.returncode is None:
            with suppress(ProcessLookupError):
                self._child.terminate()

    async def _life(self) -> int:
        """One child, from its start to the change after which there is to be another one."""
        change = asyncio.ensure_future(self._changed())
        asked = asyncio.ensure_future(self._asked.wait())
        self._child = await self._start()
        ended = asyncio.ensure_future(self._child.wait())
        if self._asked.is_set():  # while it was being started
            self._terminate()
        try:
            await asyncio.wait((change, asked, ended), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not self._asked.is_set():
                self._say(f"{change.result().name} has changed; starting again.")
                self._terminate()
            code = _exit_code(await ended)
            if not self._asked.is_set() and not change.done():
                self._say(f"It ended with exit code {code}; waiting for a change.")
                await asyncio.wait((change, asked), return_when=asyncio.FIRST_COMPLETED)
            return code
        finally:
            change.cancel()
            asked.cancel()
            await asyncio.wait((change, asked))


def _exit_code(code: int) -> int:
    return _KILLED - code if code < 0 else code


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
