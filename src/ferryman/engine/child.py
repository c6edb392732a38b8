"""A worker process: runs handlers one after the other, and tells its node how they ended.

    main thread     hello -> ready -> (work -> import -> run -> done)*  -> end
    watching thread reads frames; once the node is gone it kills the process and all that handlers started

SIGTERM asks the process to end: `Stopped` is raised in the handler, and once that has ended the process ends by
the signal. Before that it still says where the handler was.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
import sys
import threading
from contextvars import copy_context
from io import TextIOWrapper
from queue import SimpleQueue
from types import FrameType
from typing import Final, NoReturn

from ferryman.domain import strictjson
from ferryman.domain.errors import PayloadMismatch, ProcessNotStarted, TransactionImpossible
from ferryman.domain.outcome import Outcome, Run
from ferryman.engine import endings
from ferryman.engine.context import Context
from ferryman.engine.finding import Handlers
from ferryman.engine.forwarding import Forwarding
from ferryman.engine.frames import Done, Frame, Hello, NotFound, Ready, Unpacker, pack
from ferryman.engine.kinship import die_with, start_guard
from ferryman.engine.registry import Handler
from ferryman.engine.running import Running
from ferryman.engine.threads import Stopped
from ferryman.engine.work import Work

_CHUNK: Final = 256 * 1024


def main() -> None:
    """Be the worker process that `processes.py` starts."""
    number, parent = int(sys.argv[2]), int(sys.argv[3])
    del sys.argv[2:]
    die_with(parent)
    start_guard()
    _prepare_streams()
    os.set_inheritable(number, False)
    child = Child(socket.socket(fileno=number))
    try:
        child.work()
    except Stopped:
        _end_by(signal.SIGTERM)


class Child:
    """What a worker process does."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._unpacker = Unpacker()
        self._frames: SimpleQueue[Frame] = SimpleQueue()
        self._sending = threading.Lock()
        self._main = threading.main_thread()
        self._main_sends = False
        self._asked = False
        self._stopped = False
        self._forked = False
        self._pid = os.getpid()

    def work(self) -> None:
        """Run jobs until there are no more. Raises Stopped if the process was asked to end."""
        self._listen_to_sigterm()
        os.register_at_fork(after_in_child=self._forget)
        threading.Thread(target=self._watch, name="ferryman-node", daemon=True).start()
        hello = self._frames.get()
        assert isinstance(hello, Hello)
        log = Forwarding(self._send)
        log.install(hello.log_level)
        handlers = Handlers(hello.settings)
        self._send(Ready())
        while isinstance(work := self._frames.get(), Work):
            answer = self._find_and_run(work, hello, handlers, log)
            if self._forked:
                os._exit(0)  # a process that the handler forked came back with it: it has no business here
            self._send(answer)
            if self._asked:
                raise Stopped

    # -- being asked to end ----------------------------------------------------------------------

    def _listen_to_sigterm(self) -> None:
        signal.signal(signal.SIGTERM, self._asked_to_end)

    def _asked_to_end(self, _number: int, _frame: FrameType | None) -> None:
        """Raise in the handler, once, and never in the middle of a frame."""
        self._asked = True
        if not self._main_sends:
            self._stop()

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            raise Stopped

    # -- one run ---------------------------------------------------------------------------------

    def _find_and_run(self, work: Work, hello: Hello, handlers: Handlers, log: Forwarding) -> Frame:
        try:
            handler = handlers.get(work.job.type, work.origin)
        except ProcessNotStarted as error:
            return NotFound(error.what, error.why, error.hint, error.traceback)
        # its module may have set up a log of its own, the run before may have set the signal to something else
        log.install(hello.log_level)
        self._listen_to_sigterm()
        outcome = _run(work, handler, hello.max_result)
        return Done(outcome, stopped=self._asked and _was_stopped(outcome))

    # -- the node --------------------------------------------------------------------------------

    def _send(self, frame: Frame) -> bool:
        """Send a frame from any thread; False in a process that a handler forked."""
        data = pack(frame)
        if self._forked:
            return False
        in_main = threading.current_thread() is self._main
        if in_main:
            self._main_sends = True
        with self._sending:
            self._socket.sendall(data)
        if in_main:
            self._main_sends = False
            if self._asked:
                self._stop()
        return True

    def _watch(self) -> None:
        """Hand the node's frames over, until it is gone: then nothing of this process may go on."""
        try:
            while data := self._socket.recv(_CHUNK):
                for frame in self._unpacker.feed(data):
                    self._frames.put(frame)
        finally:
            os.killpg(self._pid, signal.SIGKILL)

    def _forget(self) -> None:
        """In a process that a handler forked: the connection is its parent's."""
        self._forked = True
        self._socket.close()


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


def _run(work: Work, handler: Handler, max_result: int) -> Outcome:
    """What the executor does with a thread, from the payload to the outcome."""
    job = work.job
    try:
        arguments = handler.signature.decode(job.payload)
    except PayloadMismatch as error:
        return endings.mismatched(error)
    running = Running(job, Run(), Elsewhere(work.worker), work.began)
    positional = (Context(running, work.deadline, _refuse_follow_up, None),) if handler.wants_context else ()
    try:
        value = copy_context().run(handler.function, *positional, **arguments)
    except BaseException as error:
        return endings.raised(error, job, handler.retry, work.share, handler.hiding(job.payload))
    outcome = endings.returned(value, strictjson.encode, max_result)
    return outcome if outcome.error is None else endings.without(outcome, handler.hiding(job.payload))


def _refuse_follow_up(_request: object) -> NoReturn:
    raise TransactionImpossible(
        "A handler in a worker process cannot enqueue with its completion.",
        why="Its completion is written in another process.",
        hint="Call job.enqueue(), or leave process=True out.",
    )


def _was_stopped(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.type == Stopped.__name__


def _prepare_streams() -> None:
    """See to it that what was printed is seen even if the process is killed next, and where it crashed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    if isinstance(sys.stderr, TextIOWrapper):
        faulthandler.enable()


def _end_by(number: signal.Signals) -> None:
    """End by a signal, so that whoever looks sees why."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
