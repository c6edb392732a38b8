"""Handlers written with `def`: a daemon thread per worker that has met one, reused job after job.

Raising in a thread from outside (`PyThreadState_SetAsyncExc`) only marks the thread; the exception
appears some bytecodes later, and by then another job could be running. So the right to raise is a gate
that the two sides take from each other:

    thread:  opens the gate  ->  runs the handler  ->  shuts the gate for ever  ->  takes a raise that is on its way
    loop:    takes the gate without waiting  ->  raises  ->  opens it again

The loop never waits: a gate that it finds shut belongs to a call that has not begun or has ended. The
thread may wait for the few instructions of a raise. A call is raised in at most once.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple


class Stopped(BaseException):
    """Raised inside a handler's thread: its time is up, its job was cancelled, or the node stops."""


class Answer(NamedTuple):
    """How a call ended: what it returned, or what it raised."""

    value: Any
    error: BaseException | None


class ThreadCall:
    """One call of a handler in a thread."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Answer] = self._loop.create_future()
        self._function = function
        self._gate = threading.Lock()
        self._gate.acquire()
        self._unwanted = False
        self._raised = False
        self._ended = False
        self._thread_id = 0

    def stop(self) -> bool:
        """Raise `Stopped` in the handler, once. False: it has ended already, its answer is on its way."""
        if self._unwanted:
            return not self._ended
        self._unwanted = True  # a thread that has not begun yet sees this after it opened the gate
        if not self._gate.acquire(blocking=False):
            return not self._ended
        self._raised = True
        try:
            _raise_in(self._thread_id, Stopped)
        finally:
            self._gate.release()
        return True

    def give_up(self) -> None:
        """Wait no longer: answer as if the handler had stopped."""
        _settle(self.answer, Answer(None, Stopped()))

    def run(self) -> None:
        """Everything that happens in the thread. Never raises."""
        answer = Answer(None, Stopped())
        try:
            self._thread_id = threading.get_ident()
            self._gate.release()
            answer = self._call()
            self._ended = True
            self._gate.acquire()
            if self._raised:
                self._take_the_raise()
        except Stopped:
            pass  # it appeared outside the handler
        finally:
            self._function = _nothing
        self._deliver(answer)

    def _take_the_raise(self) -> None:
        """Raises Stopped, and leaves none behind.

        Whether the raise has appeared in the handler cannot be known. So raise once more, which replaces one
        that is still on its way, and wait for it here. (To clear the mark instead would leave CPython's
        interpreter looking for an exception at every jump, for ever.)
        """
        _raise_in(self._thread_id, Stopped)
        while True:
            pass

    def _call(self) -> Answer:
        if self._unwanted:
            return Answer(None, Stopped())
        try:
            return Answer(self._function(), None)
        except BaseException as error:
            return Answer(None, error)

    def _deliver(self, answer: Answer) -> None:
        try:
            self._loop.call_soon_threadsafe(_settle, self.answer, answer)
        except RuntimeError:
            return  # the loop has ended: nobody waits for a late answer


class HandlerThread:
    """A daemon thread that runs one call at a time; it belongs to one worker."""

    def __init__(self, name: str) -> None:
        """Start the thread; `name` is for whoever looks at a dump."""
        self._calls: SimpleQueue[ThreadCall | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread has not ended."""
        return self._thread.is_alive()

    def call(self, function: Callable[[], Any]) -> ThreadCall:
        """Call a function in the thread; await the call's `answer`."""
        call = ThreadCall(function)
        self._calls.put(call)
        return call

    def end(self) -> None:
        """End the thread once its call has ended."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
            del call


def _settle(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)


def _nothing() -> None:
    """What an ended call holds instead of its function, so that the job can be freed."""


def _raise_in(thread_id: int, error: type[BaseException]) -> None:
    """Mark a thread to raise, a few bytecodes from where it is."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))
