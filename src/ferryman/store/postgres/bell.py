"""Wakeups between processes: LISTEN over a connection of its own, NOTIFY in a transaction of its own.

NOTIFY takes a lock of the whole cluster at its commit, so it is not sent within inserts: the first ring goes out at
once, those that come while one is under way go out together a moment later. Only where nobody has rung for a while the
ring rides in the insert itself, so that others hear of a single job sooner. LISTEN dies silently behind some poolers
and broken links, so it is tried from time to time: who does not hear himself connects again. What is lost is covered
by each node's periodic look.
"""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg

from ferryman.domain.errors import StoreError
from ferryman.store.bell import Ring
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.failures import ERRORS
from ferryman.store.postgres.own import Connect, connect
from ferryman.store.postgres.steps import ask
from ferryman.store.postgres.target import Target

CHANNEL: Final = "ferryman"
TOGETHER_SECONDS: Final = 0.002
"""For so long rings pile up after one was sent."""
QUIET_SECONDS: Final = 0.01
"""After so long without a ring the next one may ride in an insert."""
PROBE_SECONDS: Final = 10.0
"""How often a listener tries whether it hears."""
ANSWER_SECONDS: Final = 2.0
"""How long it waits to hear itself."""
AGAIN_SECONDS: Final = (0.2, 30.0)
"""The first and the longest pause before it connects again."""
PROBE: Final = "p"


class PostgresBell:
    """Implements `Bell` for the processes of one database."""

    def __init__(self, target: Target, line: Callable[[], Line], connect: Connect = asyncpg.connect) -> None:
        """`line` says what the next ring is sent over; opened and closed by the store."""
        self._target = target
        self._connect = connect
        self._line = line
        self._name = str(uuid.uuid4())
        self._pending: set[Ring] = set()
        self._rang_at = -math.inf
        self._rode = False
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()

    # -- ringing ---------------------------------------------------------------------------------

    def ring(self, what: Ring) -> None:
        """Tell every other node, soon; what cannot be sent is lost."""
        if self._rode and what is Ring.WORK:
            self._rode = False
            return
        self._pending.add(what)
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    def ride(self) -> tuple[str, str] | None:
        """Channel and payload that an insert may notify by itself; None where somebody has rung a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._sending is not None or self._target.pooled or now - self._rang_at < QUIET_SECONDS:
            return None
        self._rang_at = now
        return CHANNEL, f"{self._name} {Ring.WORK}"

    def rode(self) -> None:
        """Such an insert has committed: the ring for its jobs, which comes within this step of the loop, is sent."""
        self._rode = True
        asyncio.get_running_loop().call_soon(self._forget_ride)

    def _forget_ride(self) -> None:
        self._rode = False

    async def _send(self) -> None:
        try:
            while self._pending:
                letters = "".join(sorted(self._pending))
                self._pending.clear()
                with suppress(StoreError):
                    await self._say(letters)
                self._rang_at = asyncio.get_running_loop().time()
                await asyncio.sleep(TOGETHER_SECONDS)
        finally:
            self._sending = None

    async def _say(self, letters: str) -> None:
        await self._line().do(ask("notify", CHANNEL, f"{self._name} {letters}"))

    async def flush(self) -> None:
        """Wait until what was rung is sent."""
        if self._sending is not None:
            await asyncio.wait((self._sending,))

    # -- listening -------------------------------------------------------------------------------

    def listen(self, name: str, rung: Callable[[Ring], None]) -> None:
        """Call `rung` on the running loop when another process rings, from when the server answers on.

        Behind a pooler that changes sessions nobody would be heard: there the periodic looks have to do.
        """
        if self._target.pooled:
            return
        self._listening = asyncio.get_running_loop().create_task(self._listen(rung))

    def close(self) -> None:
        """Listen no more. Idempotent."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()

    def abandon(self) -> None:
        """Forget the tasks: they belong to the process that forked this one."""
        self._sending = self._listening = None

    async def _listen(self, rung: Callable[[Ring], None]) -> None:
        pause, longest = AGAIN_SECONDS
        while True:
            with suppress(*ERRORS, StoreError):
                connection = await connect(self._target, self._connect)
                try:
                    if await self._listen_on(connection, rung):
                        pause = AGAIN_SECONDS[0]
                finally:
                    connection.terminate()
            await asyncio.sleep(pause)
            pause = min(longest, pause * 2)

    async def _listen_on(self, connection: Any, rung: Callable[[Ring], None]) -> bool:
        """Listen until nothing is heard any more; gives whether anything ever was."""

        def heard(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            sender, _, letters = payload.partition(" ")
            if sender == self._name:
                self._heard.set()
                return
            for what in Ring:
                if what.value in letters:
                    rung(what)

        closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.add_termination_listener(_calling(closed.cancel))
        await connection.add_listener(CHANNEL, heard)
        for what in Ring:
            rung(what)  # nobody knows what was rung before
        worked = False
        while await self._hears():
            worked = True
            await asyncio.wait((closed,), timeout=PROBE_SECONDS)
            if closed.done():
                break
        return worked

    async def _hears(self) -> bool:
        """Whether a ring of one's own comes back."""
        self._heard.clear()
        await self._say(PROBE)
        try:
            await asyncio.wait_for(self._heard.wait(), ANSWER_SECONDS)
        except TimeoutError:
            return False
        return True


def _calling(what: Callable[[], object]) -> Callable[[object], None]:
    """For a listener that is given the connection, which is known."""

    def call(_connection: object) -> None:
        what()

    return call
