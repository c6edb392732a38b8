"""One run in a worker process, from the payload to the outcome: what the executor does with a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, NoReturn

import msgspec

from ferryman.domain import strictjson
from ferryman.domain.errors import PayloadMismatch, TransactionImpossible
from ferryman.domain.outcome import Outcome, Run
from ferryman.engine import endings
from ferryman.engine.capture import RUN
from ferryman.engine.context import Context
from ferryman.engine.finding import Found
from ferryman.engine.middleware import wrap
from ferryman.engine.parttime import PartTimeLoop
from ferryman.engine.running import Listener, Running
from ferryman.engine.work import Work


def run(work: Work, found: Found, loop: PartTimeLoop, max_result: int, listener: Listener | None = None) -> Outcome:
    """Run a job. The loop turns for middleware only; the handler is called where none runs.

    `listener` is told how far it is.
    """
    job, handler, middleware = work.job, found.handler, found.registry.hooks.middleware
    try:
        arguments = handler.signature.decode(job.payload)
    except PayloadMismatch as error:
        return endings.mismatched(error)
    running = Running(job, Run(), Elsewhere(work.worker), work.began, listener=listener)
    context = Context(running, work.deadline, found.registry.admit, _no_transaction)
    positional = (context,) if handler.wants_context else ()
    function = partial(handler.function, *positional, **arguments)
    before = RUN.set(running)
    try:
        if middleware:
            value = loop.run(wrap(middleware, context, partial(_innermost, running, function, loop)))
        else:
            value = copy_context().run(function)
    except BaseException as error:
        return endings.raised(error, job, handler.retry, work.share, handler.hiding(job.payload))
    finally:
        running.end()
        RUN.reset(before)
    outcome = endings.returned(value, strictjson.encode, max_result)
    if outcome.error is not None:
        return endings.without(outcome, handler.hiding(job.payload))
    if running.follow_ups:  # the completion that the node writes brings them
        return msgspec.structs.replace(outcome, follow_ups=tuple(running.follow_ups))
    return outcome


async def _innermost(running: Running, function: Callable[[], Any], loop: PartTimeLoop) -> Any:
    """The handler, once the middleware gets there, with a copy of the context variables that it has then."""
    if running.ended:  # the middleware left it to a task, and did not wait for that
        raise asyncio.CancelledError("the run has ended")
    return await loop.aside(partial(copy_context().run, function))


def _no_transaction(*, using: Any) -> NoReturn:  # noqa: ARG001 - as transactions take it
    raise TransactionImpossible(
        "A handler in a worker process has no transaction.",
        why="Its completion is written in another process.",
        hint="Leave process=True out, or write in a follow-up: ctx.enqueue(job.call(...)).",
    )


class Elsewhere:
    """The worker, as its process knows it: by name. What else a `Slot` can do happens in the node."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.number = 0

    @property
    def task(self) -> asyncio.Task[None]:
        """There is none here."""
        raise NotImplementedError

    def thread(self) -> NoReturn:
        """There is none here."""
        raise NotImplementedError

    def in_process(self, work: Work, /) -> NoReturn:
        """It is this one."""
        raise NotImplementedError

    def give_up(self, running: Running, /) -> NoReturn:
        """The node does that."""
        raise NotImplementedError
