"""The paths below /schedules: a thin skin over the client's verbs."""

from __future__ import annotations

from typing import Final

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.http import query, schedule_wire, wire
from ferryman.http.actor import actor_of
from ferryman.http.bodies import NewSchedule
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.heads import RunsQuery
from ferryman.http.operation import Operation
from ferryman.http.resource import check_bare, json_body
from ferryman.http.schedule_wire import ScheduleJson, ScheduleRunJson
from ferryman.http.wire import JobJson
from ferryman.store.scheduling import KeptSchedule, Put

_JSON: Final = (b"content-type", b"application/json")


class SchedulePaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done below /schedules."""
        one, kept, wrong = "/schedules/{name}", {200: ScheduleJson}, (404,)
        new = {200: ScheduleJson, 201: ScheduleJson}
        return (
            Operation("GET", "/schedules", Right.READ, self.list, "List the schedules", {200: list[ScheduleJson]}),
            Operation("GET", one, Right.READ, self.show, "Show a schedule", kept, problems=(404,)),
            Operation("PUT", one, Right.OPERATE, self.put, "Store a schedule", new, body=NewSchedule, problems=(409,)),
            Operation("DELETE", one, Right.OPERATE, self.drop, "Drop a schedule", {204: None}, problems=wrong),
            Operation(
                "GET",
                f"{one}/runs",
                Right.READ,
                self.runs,
                "List the jobs that a schedule has made",
                {200: list[ScheduleRunJson]},
                RunsQuery,
                problems=wrong,
            ),
            Operation("POST", f"{one}/pause", Right.OPERATE, self.pause, "Pause a schedule", kept, problems=wrong),
            Operation("POST", f"{one}/resume", Right.OPERATE, self.resume, "Resume a schedule", kept, problems=wrong),
            Operation(
                "POST",
                f"{one}/run",
                Right.OPERATE,
                self.run,
                "Run a schedule's job now",
                {201: JobJson},
                problems=(*wrong, 409, 429),
            ),
        )

    async def list(self, request: Request) -> Answer:
        """GET /schedules: all of them, by name."""
        query.parameters(request)
        shown = await self._client.schedules.shown(await self._client.schedules.list())
        return Answer(200, (_JSON,), schedule_wire.schedules_json(shown, self._client.schedules.now()))

    async def show(self, request: Request) -> Answer:
        """GET /schedules/{name}."""
        query.parameters(request)
        return await self._answer(await self._client.schedules.get(_name(request)))

    async def runs(self, request: Request) -> Answer:
        """GET /schedules/{name}/runs: the jobs of its latest ticks, the newest first."""
        limit = query.runs(request)
        found = await self._client.schedules.runs(_name(request), limit)
        return Answer(200, (_JSON,), schedule_wire.runs_json(found))

    async def put(self, request: Request) -> Answer:
        """PUT /schedules/{name}: 201 if it is new, else 200."""
        name = _name(request)
        asked = schedule_wire.read_schedule(name, await json_body(request, self._max_body))
        done = await self._client.schedules.put(asked, by=actor_of(request))
        kept = await self._client.schedules.get(name)
        if done is not Put.CREATED:
            return await self._answer(kept)
        location = (b"location", f"{request.prefix}/schedules/{name}".encode())
        return await self._answer(kept, 201, (_JSON, location))

    async def drop(self, request: Request) -> Answer:
        """DELETE /schedules/{name}: 204. The jobs that it made stay."""
        await check_bare(request, self._max_body)
        await self._client.schedules.drop(_name(request), by=actor_of(request))
        return Answer(204, ())

    async def pause(self, request: Request) -> Answer:
        """POST /schedules/{name}/pause."""
        await check_bare(request, self._max_body)
        return await self._answer(await self._client.schedules.pause(_name(request), by=actor_of(request)))

    async def resume(self, request: Request) -> Answer:
        """POST /schedules/{name}/resume."""
        await check_bare(request, self._max_body)
        return await self._answer(await self._client.schedules.resume(_name(request), by=actor_of(request)))

    async def run(self, request: Request) -> Answer:
        """POST /schedules/{name}/run: 201 and the job, as POST /jobs does."""
        await check_bare(request, self._max_body)
        accepted = await self._client.schedules.run(_name(request), by=actor_of(request))
        location = (b"location", f"{request.prefix}/jobs/{accepted.id}".encode())
        job = await self._client.shown(accepted.job())
        return Answer(201, (_JSON, location), wire.job_json(job))

    async def _answer(self, kept: KeptSchedule, status: int = 200, headers: Headers = (_JSON,)) -> Answer:
        [shown] = await self._client.schedules.shown([kept])
        return Answer(status, headers, schedule_wire.schedule_json(shown, self._client.schedules.now()))


def _name(request: Request) -> str:
    name: str = request.scope["path_params"]["name"]
    return name
