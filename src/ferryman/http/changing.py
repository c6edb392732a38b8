"""How jobs are changed, one at a time or by a filter: a thin skin over the client's verbs."""

from __future__ import annotations

from typing import Final

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.errors import UniqueKeyTaken
from ferryman.domain.state import Status
from ferryman.http import bodies, changes, etags, heads
from ferryman.http.actor import actor_of
from ferryman.http.exchange import Answer, Request
from ferryman.http.jobs import ONE_JOB, job_answer
from ferryman.http.narrowing import check_holder, check_job, check_queue, job_id
from ferryman.http.operation import Operation
from ferryman.http.resource import check_bare, json_body
from ferryman.http.wire import JobJson
from ferryman.store.watching import Version

_JSON: Final = (b"content-type", b"application/json")


class JobChanges:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that changes jobs."""
        return (*self._of_many(), *self._of_one())

    def _of_many(self) -> tuple[Operation, ...]:
        return (
            Operation(
                "POST",
                "/jobs/retry",
                Right.OPERATE,
                self.retry_all,
                "Retry many jobs",
                {200: changes.RetriedJson},
                body=bodies.RetryMany,
            ),
            Operation(
                "POST",
                "/jobs/purge",
                Right.OPERATE,
                self.purge,
                "Cancel the jobs that wait in a queue",
                {200: changes.PurgedJson},
                body=bodies.Purge,
            ),
        )

    def _of_one(self) -> tuple[Operation, ...]:
        job, wrong = {200: JobJson}, (404, 409, 412)
        return (
            Operation(
                "PATCH",
                ONE_JOB,
                Right.OPERATE,
                self.change,
                "Change a job that waits",
                job,
                headers=heads.MatchHeaders,
                body=bodies.Placement,
                by_queue=True,
                problems=wrong,
            ),
            Operation(
                "DELETE",
                ONE_JOB,
                Right.OPERATE,
                self.delete,
                "Delete an ended job",
                {204: None},
                headers=heads.MatchHeaders,
                by_queue=True,
                problems=wrong,
            ),
            Operation(
                "POST",
                f"{ONE_JOB}/cancel",
                Right.OPERATE,
                self.cancel,
                "Cancel a job",
                {200: JobJson, 202: JobJson},
                headers=heads.MatchHeaders,
                by_queue=True,
                problems=wrong,
            ),
            Operation(
                "POST",
                f"{ONE_JOB}/retry",
                Right.OPERATE,
                self.retry,
                "Run a job again",
                job,
                headers=heads.MatchHeaders,
                by_queue=True,
                problems=wrong,
            ),
        )

    async def cancel(self, request: Request) -> Answer:
        """POST /jobs/{id}/cancel: 200 if it is cancelled, 202 if its running handler was asked to end."""
        await check_bare(request, self._max_body)
        id, expected = await job_id(self._client, request), await self._expected(request)
        job = await self._client.cancel(id, by=actor_of(request), expected=expected)
        return await job_answer(self._client, job, 202 if job.status is Status.PROCESSING else 200)

    async def retry(self, request: Request) -> Answer:
        """POST /jobs/{id}/retry: 200, the job is pending again."""
        await check_bare(request, self._max_body)
        id, expected = await job_id(self._client, request), await self._expected(request)
        try:
            job = await self._client.retry(id, by=actor_of(request), expected=expected)
        except UniqueKeyTaken as error:
            await check_holder(self._client, request.caller, error.holder)
            raise
        return await job_answer(self._client, job)

    async def change(self, request: Request) -> Answer:
        """PATCH /jobs/{id}: another queue, priority or time for a job that waits; 200 with the job as it then is."""
        asked = changes.read_placement(await json_body(request, self._max_body))
        if "queue" in asked:
            check_queue(request.caller, asked["queue"])
        controls = self._client.controls
        id = await job_id(self._client, request)
        placement = controls.placement(**asked)
        expected = await self._expected(request)
        job = await controls.place(id, placement, by=actor_of(request), expected=expected)
        return await job_answer(self._client, job)

    async def delete(self, request: Request) -> Answer:
        """DELETE /jobs/{id}: 204. It has ended, and is gone with all that was told of it."""
        await check_bare(request, self._max_body)
        id, expected = await job_id(self._client, request), await self._expected(request)
        await self._client.controls.delete(id, by=actor_of(request), expected=expected)
        return Answer(204, ())

    async def retry_all(self, request: Request) -> Answer:
        """POST /jobs/retry: 200 and how many were sent back, or would be."""
        asked = changes.read_retry(await json_body(request, self._max_body), self._client.read_filter)
        controls = self._client.controls
        if asked.dry_run:
            told = changes.would_retry_json(await controls.would_retry(asked.filter))
        else:
            told = changes.retried_json(await controls.retry_all(asked.filter, asked.rate, by=actor_of(request)))
        return Answer(200, (_JSON,), told)

    async def purge(self, request: Request) -> Answer:
        """POST /jobs/purge: 200 and how many were cancelled, or would be."""
        asked = changes.read_purge(await json_body(request, self._max_body), self._client.read_filter)
        controls = self._client.controls
        if asked.dry_run:
            would = await controls.would_purge(asked.filter)
            return Answer(200, (_JSON,), changes.purged_json(would.count, dry_run=True, complete=would.complete))
        count = await controls.purge(asked.filter, by=actor_of(request))
        return Answer(200, (_JSON,), changes.purged_json(count))

    async def _expected(self, request: Request) -> Version | None:
        """The version of the job that is to be changed, if it may be no other one. Raises PreconditionFailed."""
        if not etags.expects(request):
            return None
        return etags.expected(request, check_job(request.caller, await self._client.get(request.job_id)))
