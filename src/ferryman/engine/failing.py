"""Tells an app's `on_failure` hooks of failed attempts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context as Variables
from contextvars import copy_context
from types import MappingProxyType
from typing import Final

from ferryman.domain.errors import (
    HandlerError,
    HandlerKilled,
    HandlerOutOfMemory,
    HandlerProcessExited,
    HandlerRaised,
    HandlerTimedOut,
    ProcessNotStarted,
    ResultNotSerialisable,
    ResultTooLarge,
)
from ferryman.domain.outcome import Outcome
from ferryman.engine import bounded
from ferryman.engine.context import Context
from ferryman.engine.hooks import FailureHook, is_async, place
from ferryman.engine.threads import HandlerThread

log: Final = logging.getLogger("ferryman.engine")

_KINDS: Final[tuple[type[HandlerError], ...]] = (
    HandlerTimedOut,
    HandlerKilled,
    HandlerProcessExited,
    HandlerOutOfMemory,
    ProcessNotStarted,
    ResultNotSerialisable,
    ResultTooLarge,
)
_OURS: Final = MappingProxyType({each.code: each for each in _KINDS})
"""Failures that the handler did not raise."""


class FailureHooks:
    """The `on_failure` hooks of one life of a node; everything here runs on the event loop."""

    def __init__(self, hooks: Sequence[FailureHook]) -> None:
        self._hooks = hooks
        self._under_way: set[asyncio.Task[None]] = set()
        self._cut = False

    @property
    def wanted(self) -> bool:
        """Whether there is anybody to tell, and time for it."""
        return bool(self._hooks) and not self._cut

    async def tell(self, ctx: Context, error: BaseException, variables: Variables | None) -> None:
        """Call every hook, and wait until all have ended."""
        task = self.begin(ctx, error, variables)
        while not task.done():
            # a cancel that comes now was meant for the handler, which has ended
            with suppress(asyncio.CancelledError):
                await asyncio.wait((task,))

    def begin(self, ctx: Context, error: BaseException, variables: Variables | None) -> asyncio.Task[None]:
        """Call every hook in a task, with the context variables of the handler."""
        copy = copy_context() if variables is None else variables.copy()
        task = asyncio.get_running_loop().create_task(self._tell_all(ctx, error), context=copy)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def cut_short(self) -> None:
        """The node cannot wait any more: cancel what is under way, and begin no more."""
        self._cut = True
        for task in self._under_way:
            task.cancel()

    async def _tell_all(self, ctx: Context, error: BaseException) -> None:
        for hook in self._hooks:
            wrong = await (bounded.in_time(hook, ctx, error) if is_async(hook) else _in_thread(hook, ctx, error))
            if wrong is not None:
                log.error(
                    "The on_failure hook %s failed: %s",
                    place(hook),
                    wrong,
                    exc_info=wrong,
                    extra={"event": "hook_failed", "job_id": ctx.job.id},
                )


def cause(outcome: Outcome, raised: BaseException | None) -> BaseException:
    """What a hook is told of a failure: what the handler raised, or an error of ours where that is not the reason."""
    told = outcome.error
    kind = None if told is None else _OURS.get(told.code)
    if told is not None and (kind is not None or raised is None):
        error = (kind or HandlerRaised)(told.message)
        error.__cause__ = raised
        return error
    assert raised is not None
    return raised


async def _in_thread(hook: FailureHook, ctx: Context, error: BaseException) -> BaseException | None:
    """Call a `def` where it may block; one that does not end in time is left behind."""
    thread = HandlerThread("ferryman-on-failure")
    variables = copy_context()
    calling = thread.call(lambda: variables.run(hook, ctx, error))
    thread.end()
    try:
        await asyncio.wait((calling.answer,), timeout=bounded.SECONDS)
    finally:
        if not calling.answer.done():
            calling.stop()
    return calling.answer.result().error if calling.answer.done() else bounded.TooSlow()
