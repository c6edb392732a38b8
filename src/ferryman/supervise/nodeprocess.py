"""One node process as its supervisor sees it: from its start to its exit code."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from ferryman.supervise.report import Report, listen

REPORT_TO: Final = "--report-to"
"""The flag by which a node process is told where its supervisor listens."""


class NodeProcess:
    """A child that runs a node. Started in a session of its own: Ctrl-C on a terminal is the supervisor's affair."""

    def __init__(self, process: asyncio.subprocess.Process, heard: Callable[[Report], None]) -> None:
        self._process = process
        self._heard = heard
        self._pipe: asyncio.ReadTransport | None = None
        self.report: Report | None = None
        """The last one that came."""
        self.silent = 0
        """How many looks ago it came (see `look`)."""

    @classmethod
    async def start(cls, command: Sequence[str], heard: Callable[[Report], None]) -> NodeProcess:
        """Start a command that takes `--report-to DESCRIPTOR`; `heard` gets each report. Raises OSError."""
        ours, theirs = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                REPORT_TO,
                str(theirs),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self = cls(process, heard)
        self._pipe = await listen(ours, self._hear)
        return self

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether its node claims, as far as is known."""
        return self.report is not None and self.report.ready

    async def ended(self) -> int:
        """Wait for its end; gives the exit code, or minus the signal that ended it."""
        code = await self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it has not ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def look(self) -> int:
        """Count a look at it; gives how many there were since its last report."""
        self.silent += 1
        return self.silent

    def _hear(self, report: Report) -> None:
        self.report = report
        self.silent = 0
        self._heard(report)
