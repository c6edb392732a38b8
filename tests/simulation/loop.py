"""One event loop that plays several processes at once, in virtual time and in an order drawn by dice.

    handle -> its lane (a thread of a process, kept in the handle's context) -> drawn by dice -> runs

Each simulated process has two lanes: its event loop, and the threads beside it (heartbeat, the store's
writer). Within a lane handles keep their order, as on a real loop; between lanes the dice decide. A lane
can be held (a frozen process, a blocked loop) and it can end (SIGKILL): what is in it never runs, no
`finally` included. Handles without a lane belong to the stage: whoever plays the world around.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

LANE: Final[contextvars.ContextVar[Lane | None]] = contextvars.ContextVar("lane", default=None)
STILL: Final = 1_000
"""How many turns of the loop may fall on one moment; after them each takes a TICK. Who waits for a time that lies
between two floats would else look at a standing clock for ever."""
TICK: Final = 1e-9
TURNS: Final = 100_000
"""So many turns without a wait are an endless loop."""
END: Final = 5_000.0
"""Virtual seconds after which a run has gone wrong."""


class Lane:
    """What one thread of a simulated process has to run, in order."""

    __slots__ = ("context", "dead", "fuse", "held", "home", "name", "on_fuse", "queue")

    def __init__(self, name: str, home: Lane | None = None) -> None:
        """`home` is the lane of the process's event loop, for a lane of its threads."""
        self.name = name
        self.queue: deque[asyncio.Handle] = deque()
        self.held = False
        self.dead = False
        self.fuse: int | None = None
        """After so many more handles `on_fuse` is called instead of the next one."""
        self.on_fuse: Callable[[], None] = _nothing
        self.home = home or self
        self.context = contextvars.copy_context()
        self.context.run(LANE.set, self)


class Lots:
    """The loop's queue of ready handles: `popleft` draws a lane, and takes its first handle."""

    def __init__(self, dice: random.Random) -> None:
        self._random = dice.random
        self._stage = Lane("stage")
        self._drawn: list[Lane] = []
        """Lanes that have something to run and may."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, handle: asyncio.Handle) -> None:
        """Put a handle at the end of its lane; one of a dead lane is dropped."""
        lane = handle._context.get(LANE) or self._stage  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
        if lane.dead:
            return
        lane.queue.append(handle)
        if not lane.held:
            self._count += 1
            if len(lane.queue) == 1:
                self._drawn.append(lane)

    def popleft(self) -> asyncio.Handle:
        """The next handle to run; one that does nothing where the rest was held or died meanwhile."""
        if not self._drawn:
            return _IDLE
        place = int(self._random() * len(self._drawn))
        lane = self._drawn[place]
        if lane.fuse is not None:
            lane.fuse -= 1
            if lane.fuse < 0:
                lane.fuse = None
                lane.on_fuse()
                return _IDLE
        handle = lane.queue.popleft()
        self._count -= 1
        if not lane.queue:
            self._drawn[place] = self._drawn[-1]
            self._drawn.pop()
        return handle

    def clear(self) -> None:
        """Forget everything; the loop closes."""
        for lane in self._drawn:
            lane.queue.clear()
        self._drawn.clear()
        self._count = 0

    def hold(self, lane: Lane) -> None:
        """Run nothing of a lane until `let_go`."""
        if not lane.held:
            lane.held = True
            self._leave(lane)

    def let_go(self, lane: Lane) -> None:
        """Go on with a lane that was held."""
        if lane.held and not lane.dead:
            lane.held = False
            if lane.queue:
                self._count += len(lane.queue)
                self._drawn.append(lane)

    def end(self, lane: Lane) -> None:
        """Never run anything of a lane again."""
        if not lane.dead:
            if not lane.held:
                self._leave(lane)
            lane.dead = True
            lane.queue.clear()

    def _leave(self, lane: Lane) -> None:
        if lane.queue:
            self._count -= len(lane.queue)
            self._drawn.remove(lane)


class SimLoop(asyncio.BaseEventLoop):
    """Virtual time: it jumps to the next timer when nothing is ready. No sockets, no threads."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._jumps = _Jumps()
        self._selector = self._jumps
        self.lots = Lots(dice)
        self._ready = self.lots
        self._clock_resolution = 1e-9
        self.tasks: list[asyncio.Task[Any]] = []
        """Every task of a process, so that none is closed by the garbage collector while the run lasts."""
        self.stage = contextvars.copy_context()
        """The context of whoever plays the world around."""
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumps.now

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """From a thread of a process to its event loop."""
        lane = LANE.get()
        if context is None and lane is not None:
            context = lane.home.context.copy()
        return self.call_soon(callback, *args, context=context)

    def dispose(self) -> None:
        """Forget the run. What its dead processes would still do in a `finally` meets a closed loop."""
        for task in self.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
            work: Any = task.get_coro()
            if inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                work.close()  # it died before its first step; Python would warn that it was never awaited
        self.tasks.clear()
        self.close()

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        self.tasks.append(task)
        return task

    def _process_events(self, events: object) -> None:
        """There are none."""


class _Jumps:
    """Stands where a loop has its selector: moves time on instead of waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self._turns = 0

    def select(self, timeout: float | None) -> tuple[()]:
        """Nothing ever happens outside; `timeout` passes at once."""
        if timeout is None:
            raise Stuck("Every task waits, and no timer is set: this would wait for ever.")
        if timeout > 0:
            self._turns = 0
            self.now += timeout
        else:
            self._turns += 1
            if self._turns > STILL:
                self.now += TICK
            if self._turns > TURNS:
                raise Stuck(f"At {self.now:g} s the loop has made {TURNS} turns without a wait: something goes round.")
        if self.now > END:
            raise Stuck(f"Virtual time has come to {self.now:g} s, and still something is waited for.")
        return ()

    def close(self) -> None:
        """Nothing to close."""


class Stuck(Exception):
    """The simulated world cannot go on: a fault of the product, or of the simulation."""


async def pause(seconds: float) -> None:
    """Let virtual time pass."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, wake, over)
    try:
        await over
    finally:
        timer.cancel()


def wake(over: asyncio.Future[None]) -> None:
    """Let go on who waits."""
    if not over.done():
        over.set_result(None)


def _nothing() -> None:
    """No fuse burns."""


class _Idle(asyncio.Handle):
    """A handle that does nothing."""

    def __init__(self) -> None:
        self._cancelled = True


_IDLE: Final = _Idle()
