"""What a node process tells, and how each side hears of the other's end."""

from __future__ import annotations

import asyncio
import os

import pytest

from ferryman.domain.events import Enqueued, JobsRescued
from ferryman.observe.metrics import Metrics
from ferryman.supervise.report import Ear, Report, Reporter, listen

pytestmark = pytest.mark.anyio


class Process:
    """A node process that has counted something, and its supervisor's ear."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.metrics.listen(Enqueued("mail", "default", 5))
        self.heard: list[Report] = []
        self.orphaned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ours, self.theirs = os.pipe()
        self.reporter = Reporter(self.theirs, self.report, lambda: self.orphaned.set_result(None))
        self._again: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def report(self) -> Report:
        return Report("node", True, 10, 100, 0, 1, self.metrics.take())

    def hear(self, report: Report) -> None:
        self.heard.append(report)
        self._again.set_result(None)
        self._again = asyncio.get_running_loop().create_future()

    async def next_report(self) -> Report:
        await asyncio.wait_for(self._again, 60)
        return self.heard[-1]


async def test_a_report_says_what_was_counted_since_the_last_one() -> None:
    process = Process()
    pipe = await listen(process.ours, process.hear)
    await process.reporter.start()
    assert (await process.next_report()).counted.enqueued == [("mail", "default", 5)]
    process.metrics.listen(JobsRescued("other", 2))
    process.reporter.tell()
    report = await process.next_report()
    assert (report.counted.enqueued, report.counted.rescued) == ([], 2)
    await process.reporter.stop()
    assert not process.orphaned.done()
    pipe.close()


async def test_the_last_report_comes_with_the_stop() -> None:
    process = Process()
    pipe = await listen(process.ours, process.hear)
    await process.reporter.start()
    await process.next_report()
    process.metrics.listen(JobsRescued("other", 1))
    await process.reporter.stop()
    assert (await process.next_report()).counted.rescued == 1
    pipe.close()


async def test_a_process_hears_at_once_that_its_supervisor_is_gone() -> None:
    process = Process()
    await process.reporter.start()
    os.close(process.ours)
    await asyncio.wait_for(process.orphaned, 60)
    await process.reporter.stop()


async def test_stopping_without_a_start_is_nothing() -> None:
    process = Process()
    await process.reporter.stop()
    process.reporter.tell()
    os.close(process.ours)
    os.close(process.theirs)


async def test_reports_are_whole_lines_however_the_bytes_arrive() -> None:
    process = Process()
    await process.reporter.start()
    data = os.read(process.ours, 65536)
    heard: list[Report] = []
    ear = Ear(heard.append)
    for byte in data + data:
        ear.data_received(bytes([byte]))
    assert len(heard) == 2
    assert heard[0] == heard[1]
    await process.reporter.stop()
    os.close(process.ours)
