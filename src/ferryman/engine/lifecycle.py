"""Calls an app's startup and shutdown hooks, once in each process that runs handlers: nodes and worker processes."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Final

from ferryman.domain.errors import StartupFailed
from ferryman.engine import bounded
from ferryman.engine.hooks import Hooks, LifeHook, place

log: Final = logging.getLogger("ferryman.engine")


class Lifecycle:
    """The hooks around everything else that a process does with jobs; they run on its event loop."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._began = 0

    @property
    def behind(self) -> bool:
        """Whether there are startup hooks that have not been called."""
        return self._began < len(self._hooks.startup)

    async def start(self) -> None:
        """Call the startup hooks, in the order of declaration; none of them twice.

        Raises:
            StartupFailed: one raised; the shutdown hooks have been called if another one had ended well before.
        """
        for hook in self._hooks.startup[self._began :]:
            error = await bounded.call(hook)
            if error is not None:
                if self._began:
                    await self.stop()
                raise _cause(hook, error) from error
            self._began += 1

    async def stop(self) -> None:
        """Call the shutdown hooks, the last one declared first; what one does keeps no other from being called."""
        for hook in reversed(self._hooks.shutdown):
            error = await bounded.in_time(hook)
            if error is not None:
                log.error(
                    "The shutdown hook %s failed: %s",
                    place(hook),
                    error,
                    exc_info=error,
                    extra={"event": "hook_failed"},
                )


def _cause(hook: LifeHook, error: BaseException) -> BaseException:
    """What ends the start: a failure of the hook, or the cancellation of the task that calls it."""
    task = asyncio.current_task()
    if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
        return error
    return StartupFailed(
        f"The startup hook {place(hook)} raised, so nothing was started.",
        why=f"{_text(error)}{_where(error)}.",
        hint="Mend what it needs, then start again.",
    )


def _text(error: BaseException) -> str:
    """An exception in one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # its own __str__ may do anything
        text = ""
    return f"{type(error).__name__}: {text[:300].rstrip('.')}".removesuffix(": ")


def _where(error: BaseException) -> str:
    """The last line that ran."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}, line {frames[-1].lineno}: {frames[-1].line})" if frames else ""
