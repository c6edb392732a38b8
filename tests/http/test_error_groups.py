"""GET /errors: what attempts have failed of."""

from __future__ import annotations

import json

import httpx
import pytest

from ferryman import Ferryman, Secret
from ferryman.domain.error_groups import group_of
from ferryman.domain.errors import JobFailed
from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.embed import running
from ferryman.http import wire
from tests.http.world import World, is_problem, talk

pytestmark = pytest.mark.anyio
TOKEN = "hunter2"
HOSTILE = "<script>alert(1)</script> \u202e\U0001f6a2 \x1b[31m"


async def create(http: httpx.AsyncClient, **members: object) -> str:
    found: str = (await http.post("/jobs", json={"type": "echo", **members})).json()["id"]
    return found


async def fail(world: World, http: httpx.AsyncClient, error: JobError, **members: object) -> str:
    """A job that failed."""
    id = await create(http, **members)
    await world.finish(Outcome(What.FAILED, error=error, retryable=False))
    return id


def boom(user: int = 1) -> JobError:
    return JobError("FM501", "ValueError", f"no such user: {user}", "Traceback", "mail.py:send")


async def test_like_errors_are_told_once(world: World, http: httpx.AsyncClient) -> None:
    assert (await http.get("/errors")).content == b"[]"
    first_at = wire.write_moment(world.clock.now())
    await fail(world, http, boom(1))
    world.clock.advance(5)
    id = await fail(world, http, boom(2), queue="mail")
    answer = await http.get("/errors")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    group = group_of(boom()).id
    assert answer.json() == [
        {
            "group": group,
            "exception": "ValueError",
            "code": "FM501",
            "message": "no such user: <n>",
            "frame": "mail.py:send",
            "count": 2,
            "jobs": 2,
            "at_least": False,
            "first_at": first_at,
            "last_at": wire.write_moment(world.clock.now()),
            "types": ["echo"],
            "queues": ["default", "mail"],
            "versions": ["0"],
            "job": id,
            "lately": {"step": 3600, "from": "2025-12-31T01:00:00.000000Z", "counts": [0] * 23 + [2]},
        }
    ]
    assert (await http.get(f"/errors/{group}")).json() == answer.json()[0]
    found = await http.get("/jobs", params={"filter": f"status:failed group:{group}", "order": "desc"})
    assert found.json()[0]["id"] == id


async def test_pages_follow_each_other(world: World, http: httpx.AsyncClient) -> None:
    for name in ("A", "B", "C"):
        await fail(world, http, JobError("FM501", name, ""))
        world.clock.advance(1)
    seen, path = [], "/errors?limit=2&type=e*"
    while path:
        answer = await http.get(path)
        seen += [each["exception"] for each in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert seen == ["C", "B", "A"]


async def test_a_period_and_queues_narrow_the_list(world: World, http: httpx.AsyncClient) -> None:
    await fail(world, http, boom(), queue="mail")
    middle = wire.write_moment(world.clock.now() + 1)
    world.clock.advance(1)
    await fail(world, http, JobError("FM501", "KeyError", "'a'"))
    for query, expected in (
        ({"from": middle}, ["KeyError"]),
        ({"to": middle}, ["ValueError"]),
        ({"queue": ["mail", "other"]}, ["ValueError"]),
        ({"type": "mail"}, []),
        ({"queue": "\udcff".encode("utf-8", "surrogatepass").decode("latin-1")}, []),
    ):
        found = (await http.get("/errors", params=query)).json()
        assert [each["exception"] for each in found] == expected


async def test_a_limited_key_is_told_of_its_queues_alone(world: World, http: httpx.AsyncClient) -> None:
    await fail(world, http, boom(), queue="mail")
    world.clock.advance(1)
    other = await fail(world, http, boom(2))
    await fail(world, http, JobError("FM501", "KeyError", "'a'"))
    http.headers.update(await world.key("read", queues=["mail"]))
    [found] = (await http.get("/errors")).json()
    assert (found["count"], found["jobs"], found["queues"]) == (1, 1, ["mail"])
    assert found["job"] != other
    assert (await http.get(f"/errors/{found['group']}")).json() == found
    is_problem(await http.get(f"/errors/{group_of(JobError('FM501', 'KeyError', '')).id}"), 404, "FM425")
    is_problem(await http.get("/errors?queue=default"), 403, "FM604")


@pytest.mark.parametrize(
    "query", ["limit=1001", "limit=0", "cursor=1", "cursor=1-x", "from=yesterday", "status=failed", "limit=1&limit=2"]
)
async def test_parameters_are_read_strictly(http: httpx.AsyncClient, query: str) -> None:
    is_problem(await http.get(f"/errors?{query}"), 400, "FM401")


@pytest.mark.parametrize("group", ["0" * 16, "x", "%00", "9F2C01D4A37BE615", "%ff"])
async def test_a_group_that_is_not_there(world: World, http: httpx.AsyncClient, group: str) -> None:
    await fail(world, http, boom())
    is_problem(await http.get(f"/errors/{group}"), 404, "FM425")


async def test_hostile_errors_are_told_as_they_are(world: World, http: httpx.AsyncClient) -> None:
    await fail(world, http, JobError("FM501", HOSTILE, HOSTILE + "x" * 10_000_000, frame=HOSTILE))
    [found] = (await http.get("/errors")).json()
    assert found["exception"] == found["frame"] == HOSTILE
    assert len(found["message"]) == 200


async def test_a_group_knows_the_place_in_the_users_code_and_no_secret() -> None:
    app = Ferryman("memory://")

    def log_in(password: str) -> None:
        json.loads(f"not with {password}")

    @app.job(max_attempts=1)
    async def on_the_loop(password: Secret[str]) -> None:
        log_in(password.reveal())

    @app.job(max_attempts=1)
    def in_a_thread(password: Secret[str]) -> None:
        raise ValueError(f"not with {password.reveal()}")

    async with running(app) as server, talk(server.asgi) as http:
        for job in (on_the_loop, in_a_thread):
            with pytest.raises(JobFailed):
                await (await job.aenqueue(Secret(TOKEN))).aresult(timeout=20)
        answer = await http.get("/errors")
    assert TOKEN not in answer.text
    found = {each["types"][0]: (each["exception"], each["message"], each["frame"]) for each in answer.json()}
    assert found == {
        "on_the_loop": (
            "JSONDecodeError",
            "Expecting value: line <n> column <n> (char <n>)",
            "test_error_groups.py:log_in",
        ),
        "in_a_thread": ("ValueError", "not with ***", "test_error_groups.py:in_a_thread"),
    }
