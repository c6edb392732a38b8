"""The jobs of the campaign. Every start and end of a handler is noted outside the store."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from ferryman import Context, Ferryman, Snooze
from ferryman.engine.threads import Stopped
from ferryman.testing.history.entries import Ended, How, Killed, Paused, Resumed, Started
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.triggers import Triggers

ATTEMPTS = 100
"""More than the campaign's crashes can spend."""
CHILD_SECONDS = 6.0
"""How long a forked child lives on: longer than a lease."""
EXITS = (7, 8)
"""The codes with which handlers end their process."""


class Noted:
    """Notes what handlers do, in the journal of the process that they run in."""

    def __init__(self, journal: Journal, triggers: Triggers) -> None:
        self.journal = journal
        self.triggers = triggers

    @contextmanager
    def run(self, ctx: Context) -> Generator[None]:
        """Around a handler, which returns its claim number."""
        node = str((ctx.log.extra or {})["node"])
        self.journal.note(Started, job=ctx.job.id, number=ctx.claim, attempt=ctx.attempt, node=node)
        self.triggers.reach("handler started")
        try:
            yield
        except Snooze:
            self._ended(ctx, "snoozed")
            raise
        except (asyncio.CancelledError, Stopped):
            self._ended(ctx, "cut off")
            raise
        except BaseException:
            self._ended(ctx, "raised")
            raise
        self._ended(ctx, "returned", str(ctx.claim))

    def _ended(self, ctx: Context, how: How, result: str | None = None) -> None:
        self.journal.note(Ended, job=ctx.job.id, number=ctx.claim, how=how, result=result)

    def block(self, seconds: float) -> None:
        """Hold the event loop."""
        self.journal.note(Paused, by=NEMESIS, process=self.journal.name, loop_only=True)
        time.sleep(seconds)
        self.journal.note(Resumed, by=NEMESIS, process=self.journal.name)

    def exit(self, code: int) -> None:
        """End the process as no handler should."""
        self.journal.note(Killed, by=NEMESIS, process=self.journal.name, during="running")
        os._exit(code)


def make_app(noted: Noted) -> Ferryman:
    """The app, for one process."""
    app = Ferryman()
    declare_peaceful(app, noted)
    declare_deadly(app, noted)
    declare_rude(app, noted)
    return app


def declare_peaceful(app: Ferryman, noted: Noted) -> None:
    """What clients enqueue."""

    @app.job_with_context(max_attempts=ATTEMPTS)
    async def nap(ctx: Context, seconds: float) -> int:
        """On the event loop."""
        with noted.run(ctx):
            await asyncio.sleep(seconds)
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS)
    def work(ctx: Context, seconds: float) -> int:
        """In a thread."""
        with noted.run(ctx):
            time.sleep(seconds)
            return ctx.claim

    @app.job_with_context(max_attempts=1)
    async def once(ctx: Context, seconds: float) -> int:
        """Never starts twice."""
        with noted.run(ctx):
            await asyncio.sleep(seconds)
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS, retry=0.1)
    async def flaky(ctx: Context, failures: int) -> int:
        """Fails at first."""
        with noted.run(ctx):
            if ctx.attempt <= failures:
                raise ValueError("not yet")
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS)
    async def snooze(ctx: Context, times: int) -> int:
        """Puts itself off."""
        with noted.run(ctx):
            if ctx.claim <= times:
                raise Snooze(0.1)
            return ctx.claim

    @app.job_with_context(max_attempts=2, timeout=0.2, retry=0.1)
    async def hang(ctx: Context) -> int:
        """Runs into its timeout, twice."""
        with noted.run(ctx):
            await asyncio.sleep(60)
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS)
    async def bulky(ctx: Context, text: str) -> int:
        """Has a large payload."""
        with noted.run(ctx):
            return ctx.claim


def declare_deadly(app: Ferryman, noted: Noted) -> None:
    """What the nemesis enqueues: handlers that end their node, or make it look dead."""

    @app.job_with_context(max_attempts=ATTEMPTS)
    async def block(ctx: Context, seconds: float) -> int:
        """Holds the event loop, in its first attempt."""
        with noted.run(ctx):
            if ctx.attempt == 1:
                noted.block(seconds)
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS)
    async def exit(ctx: Context) -> int:
        """Ends the process, in its first attempt."""
        with noted.run(ctx):
            if ctx.attempt == 1:
                noted.exit(EXITS[0])
            return ctx.claim

    @app.job_with_context(max_attempts=2)
    async def poison(ctx: Context) -> int:
        """Ends every process that it runs in."""
        with noted.run(ctx):
            noted.exit(EXITS[1])
            return ctx.claim


def declare_rude(app: Ferryman, noted: Noted) -> None:
    """What the nemesis enqueues: handlers that their node has to survive."""

    @app.job_with_context(max_attempts=ATTEMPTS, retry=0.1)
    async def leave(ctx: Context) -> int:
        """Raises SystemExit on the event loop, in its first attempt."""
        with noted.run(ctx):
            if ctx.attempt == 1:
                sys.exit(9)
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS, retry=0.1)
    def leave_thread(ctx: Context) -> int:
        """Raises SystemExit in a thread, in its first attempt."""
        with noted.run(ctx):
            if ctx.attempt == 1:
                sys.exit(9)
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS)
    async def mute(ctx: Context) -> int:
        """Closes the standard output."""
        with noted.run(ctx):
            sys.stdout.close()
            return ctx.claim

    @app.job_with_context(max_attempts=ATTEMPTS)
    def fork(ctx: Context) -> int:
        """Forks a child that lives on, with everything that the process had open."""
        with noted.run(ctx):
            if not os.fork():
                time.sleep(CHILD_SECONDS)
                os._exit(0)
            return ctx.claim
