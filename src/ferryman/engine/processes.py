"""Handlers declared with `process=True`: a worker process per worker that has met one, reused job after job.

    worker     ->  HandlerProcess.call(work)  ->  frames  ->  the process (child.py) runs the handler
    ladder     ->  stop: SIGTERM to the group  ->  give up: SIGKILL to the group
    the kernel ->  the process has ended  ->  its group is killed, it is reaped, its run is answered

A process runs one job at a time. One that was asked to end is never used again. It leads a session and a
group of its own, so that what its handlers start ends with it, and a terminal's Ctrl-C does not reach it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ferryman.domain.errors import HandlerError, ProcessNotStarted
from ferryman.engine.capture import RUN
from ferryman.engine.deaths import kill_group, told, watch
from ferryman.engine.frames import Bye, Done, Frame, Hello, Logged, NotFound, Ready, Said
from ferryman.engine.hooks import Hooks
from ferryman.engine.line import Line
from ferryman.engine.running import Running
from ferryman.engine.threads import Answer, Stopped
from ferryman.engine.work import Work

START: Final = "import sys; sys.path[:] = sys.argv[4:]; from ferryman.engine.child import main; main()"
"""The child takes the parent's path before it imports anything, whatever lies in the current folder."""
RETIRE_WITHIN: Final = 5.0
"""Seconds that a process has to end once there is no more work for it; its shutdown hooks have them, too."""

log: Final = logging.getLogger("ferryman.engine")


class ProcessCall:
    """One run of a handler in a worker process. The answer's value is an Outcome, its error says why there is none."""

    def __init__(self, process: HandlerProcess) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.running = RUN.get()
        """The run that calls."""
        self._process = process

    def stop(self) -> bool:
        """Ask the handler to end, with SIGTERM. False: it has ended already."""
        if self.answer.done():
            return False
        self._process.terminate()
        return True

    def give_up(self) -> None:
        """End the process, now, and answer as if the handler had stopped."""
        self._process.kill()
        self.settle(Answer(None, Stopped()))

    def settle(self, answer: Answer) -> None:
        """Only the first answer counts."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Processes:
    """Starts the worker processes of a pool, and sees all of them to their end."""

    def __init__(
        self,
        settings: Mapping[str, str],
        oom_kills: Callable[[], int],
        hooks: Hooks,
        *,
        max_result: int,
        max_jobs: int,
        max_rss: int,
    ) -> None:
        """Nothing is started yet.

        Args:
            settings: the node's, as text by field; for what a handler enqueues.
            oom_kills: how often the kernel has killed for want of memory.
            hooks: the app's, as the node knows them; a process that has fewer says so.
            max_result: bytes of a result's JSON.
            max_jobs: runs after which a process is replaced; 0 is never.
            max_rss: bytes of resident memory after which it is; 0 is never.
        """
        self.oom_kills = oom_kills
        self._settings = dict(settings)
        self._hooks = hooks
        self._max_result = max_result
        self._max_jobs = max_jobs
        self._max_rss = max_rss
        self._living: set[HandlerProcess] = set()

    def start(self, worker: str) -> HandlerProcess:
        """Start a process for a worker. Raises ProcessNotStarted."""
        hello = Hello(self._settings, logging.getLogger().getEffectiveLevel(), self._max_result, self._hooks.around)
        process = HandlerProcess(self, worker, hello)
        self._living.add(process)
        process.ended.add_done_callback(lambda _: self._living.discard(process))
        return process

    def worn(self, pid: int, runs: int) -> bool:
        """Whether a process has done its part and is to be replaced."""
        if self._max_jobs and runs >= self._max_jobs:
            return True
        return bool(self._max_rss) and rss_of(pid) > self._max_rss

    async def stop(self, seconds: float) -> None:
        """End those that are left: in order, else by force, which takes at most so many seconds more."""
        for process in self._living:
            process.end()
        if self._living:
            await asyncio.wait([process.ended for process in self._living], timeout=RETIRE_WITHIN)
        left = list(self._living)
        for process in left:
            process.kill()
        if left:
            await asyncio.wait([process.ended for process in left], timeout=seconds)


class HandlerProcess:
    """A worker process, as its node sees it. Everything here runs on the event loop."""

    def __init__(self, processes: Processes, worker: str, hello: Hello) -> None:
        """Start it; it takes a while until it is ready. Raises ProcessNotStarted."""
        self.usable = True
        """Whether it may be given another job."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._processes = processes
        self._ready = False
        self._runs = 0
        self._oom_kills = 0
        self._call: ProcessCall | None = None
        self._timer: asyncio.TimerHandle | None = None
        ours, theirs = socket.socketpair()
        try:
            self._popen = _spawn(worker, theirs)
        except (OSError, ValueError) as error:
            ours.close()
            raise ProcessNotStarted("No worker process could be started.", why=f"{error}.") from error
        finally:
            theirs.close()
        self.pid = self._popen.pid
        watch(self._popen, self._has_ended)
        self._line = Line(ours, self._hear, self.kill)
        self._line.send(hello)

    def call(self, work: Work) -> ProcessCall:
        """Run a job in it; await the call's `answer`."""
        assert self.usable
        assert self._call is None
        self._call = call = ProcessCall(self)
        self._oom_kills = self._processes.oom_kills()
        self._line.send(work)
        return call

    def end(self) -> None:
        """There is no more work for it: it ends in order, or is killed."""
        if self.usable and not self.ended.done():
            self.usable = False
            self._line.send(Bye())
            self._timer = asyncio.get_running_loop().call_later(RETIRE_WITHIN, self._overdue)

    def terminate(self) -> None:
        """Ask it and its group to end."""
        self.usable = False
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its group."""
        self.usable = False
        self._signal(signal.SIGKILL)

    def _overdue(self) -> None:
        log.warning(
            "The worker process %d did not end within %g s, so it is killed.",
            self.pid,
            RETIRE_WITHIN,
            extra={"event": "process_overdue"},
        )
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.done():
            kill_group(self.pid, number)

    def _hear(self, frame: Frame) -> None:
        match frame:
            case Ready():
                self._ready = True
            case Logged():
                _log(frame, self._call.running if frame.of_run and self._call else None)
            case Said():
                self._hear_progress(frame)
            case Done(stopped=True) if self.usable:
                self.usable = False  # by a SIGTERM that was not ours; it ends by it, and that is the answer
            case Done():
                self._answered(Answer(frame.outcome, None))
            case NotFound():
                self.usable = False  # the next attempt imports everything anew
                found = ProcessNotStarted(frame.what, why=frame.why, hint=frame.hint, traceback=frame.traceback)
                self._answered(Answer(None, found))
            case _:
                self.kill()

    def _hear_progress(self, said: Said) -> None:
        running = None if self._call is None else self._call.running
        if running is not None and running.listener is not None:
            running.listener.progress(running, said.done, said.total, said.message)

    def _answered(self, answer: Answer) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.settle(answer)
        self._runs += 1
        if not self.usable:
            self.kill()  # it was asked to end, and its run has
        elif self._processes.worn(self.pid, self._runs):
            self.end()

    def _has_ended(self) -> None:
        """The process is no more, but not yet reaped: its number still means its group, and nothing else."""
        self.usable = False
        kill_group(self.pid, signal.SIGKILL)
        code = self._popen.wait()
        self.ended.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        self._line.drain()
        self._line.close()
        call, self._call = self._call, None
        if call is not None:
            call.settle(Answer(None, self._why(code)))

    def _why(self, code: int) -> HandlerError:
        return told(code, ready=self._ready, out_of_memory=self._processes.oom_kills() > self._oom_kills)


def rss_of(pid: int) -> int:
    """Bytes of memory in which a process resides; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_bytes().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _spawn(worker: str, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Start the interpreter, from this thread: the kernel takes the thread that did it for the parent, and its
    end for the parent's death."""
    number = theirs.fileno()
    arguments = ["-P", "-c", START, f"ferryman {worker}", str(number), str(os.getpid()), *map(str, sys.path)]
    return subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.DEVNULL, pass_fds=(number,), start_new_session=True
    )


def _log(frame: Logged, running: Running | None) -> None:
    """Log what a handler logged, as if it had done so here, in its run."""
    record = logging.makeLogRecord(frame.record)
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        before = RUN.set(running)
        try:
            logger.handle(record)
        finally:
            RUN.reset(before)
