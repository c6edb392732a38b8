"""The client of a test: real in all but waiting."""

from __future__ import annotations

from ferryman.client import Client
from ferryman.domain.errors import ResultTimeout, WouldWaitForever
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL, Status


class KitClient(Client):
    """A client that does not wait for a job that nobody runs."""

    async def wait(self, id: str, timeout: float | None = None) -> Job:  # noqa: ASYNC109 - as its base
        """The job, if it has ended.

        Raises:
            JobNotFound: there is no such job.
            WouldWaitForever: it has not ended.
            ResultTimeout: it has not ended, and whoever waits would give up after some time.
        """
        job = await self.get(id)
        if job.status in TERMINAL:
            return job
        hint = "Run it first: queue.run_all()."
        if job.status is Status.SCHEDULED:
            hint = "Let its time come and run it first: queue.run_due(seconds)."
        if timeout is not None:
            raise ResultTimeout(f"Job {id} is {job.status} after {timeout:g} s.", hint=hint)
        raise WouldWaitForever(
            f"Job {id} of type {job.type} is {job.status}.", why="In a test nothing runs it meanwhile.", hint=hint
        )


class NobodyWakes:
    """Implements the store's `Wakeup`: whoever writes the test says when jobs run."""

    def work(self) -> None:
        return

    def scheduled(self, run_at: int) -> None:
        return

    def cancelled(self, node: str | None) -> None:
        return
