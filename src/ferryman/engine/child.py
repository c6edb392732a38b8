"""A worker process: runs handlers one after the other, and tells its node how they ended.

    main thread     hello -> ready -> (work -> import -> startup -> run -> done)*  -> shutdown -> end
    watching thread reads frames; once the node is gone it kills the process and all that handlers started

SIGTERM asks the process to end: `Stopped` is raised in the handler, hooks and middleware are cancelled where they
wait, and once the run has ended the process ends by the signal. Before that it still says where the handler was.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
from asyncio import CancelledError
from io import TextIOWrapper
from queue import SimpleQueue
from types import FrameType
from typing import Final

from ferryman.domain.errors import ProcessNotStarted
from ferryman.domain.outcome import Outcome
from ferryman.engine import childrun
from ferryman.engine.childhooks import ChildHooks
from ferryman.engine.finding import Handlers
from ferryman.engine.forwarding import Forwarding
from ferryman.engine.frames import Done, Frame, Hello, NotFound, Ready, Unpacker, pack
from ferryman.engine.kinship import die_with, start_guard
from ferryman.engine.pacing import Pacing
from ferryman.engine.parttime import PartTimeLoop
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
        self._loop = PartTimeLoop()
        self._hooks = ChildHooks(self._loop)
        self._pacing = Pacing(self._send)

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
            self._obey()
        self._end_in_order()

    # -- being asked to end ----------------------------------------------------------------------

    def _listen_to_sigterm(self) -> None:
        signal.signal(signal.SIGTERM, self._asked_to_end)

    def _asked_to_end(self, _number: int, _frame: FrameType | None) -> None:
        """Raise in the handler, once, and never in the middle of a frame."""
        self._asked = True
        if not self._main_sends:
            self._stop()

    def _stop(self) -> None:
        if not self._stopped and not self._loop.cancel():
            self._stopped = True
            raise Stopped

    def _obey(self) -> None:
        """Go on only if the process was not asked to end meanwhile."""
        if self._asked:
            raise Stopped

    def _end_in_order(self) -> None:
        """There are no more jobs: the hooks have their turn."""
        try:
            self._hooks.end()
            self._loop.close()
        except CancelledError:
            raise Stopped from None

    # -- one run ---------------------------------------------------------------------------------

    def _find_and_run(self, work: Work, hello: Hello, handlers: Handlers, log: Forwarding) -> Frame:
        try:
            found = handlers.get(work.job.type, work.origin)
            if not self._hooks.begun(found.registry):
                log.install(hello.log_level)  # its module may have set up a log of its own
                self._hooks.begin(found.registry, hello.hooks)
        except ProcessNotStarted as error:
            self._obey()
            return NotFound(error.what, error.why, error.hint, error.traceback)
        self._obey()  # hooks may swallow their cancellation
        # so may they have done; they, or the run before, may have set the signal to something else
        log.install(hello.log_level)
        self._listen_to_sigterm()
        outcome = childrun.run(work, found, self._loop, hello.max_result, self._pacing)
        self._pacing.flush()
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
        self._pacing.forget()
        self._socket.close()


def _was_stopped(outcome: Outcome) -> bool:
    """Whether the run ended by what it was asked to end with: the one in a handler, the other in middleware."""
    return outcome.error is not None and outcome.error.type in (Stopped.__name__, CancelledError.__name__)


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
