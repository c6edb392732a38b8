"""ETag, If-None-Match and If-Match."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.store.controlling import Placement
from tests.http.world import UNKNOWN, World, is_problem

pytestmark = pytest.mark.anyio

FAILED = Outcome(What.FAILED, retryable=False)


async def create(http: httpx.AsyncClient) -> httpx.Response:
    answer = await http.post("/jobs", json={"type": "echo"})
    assert answer.status_code == 201
    return answer


async def test_the_tag_changes_with_the_job_and_not_otherwise(world: World, http: httpx.AsyncClient) -> None:
    created = await create(http)
    path = created.headers["location"]
    tags = [created.headers["etag"]]
    assert (await http.get(path)).headers["etag"] == tags[0]
    assert (await http.head(path)).headers["etag"] == tags[0]
    for change in ({"queue": "mail"}, {"priority": 1}, {"delay": 60}):
        tags.append((await http.patch(path, json=change)).headers["etag"])
        assert (await http.get(path)).headers["etag"] == tags[-1]
    world.clock.advance(61)
    await world.store.promote(world.clock.now(), 1)
    tags.append((await http.get(path)).headers["etag"])
    await world.claim()
    tags.append((await http.get(path)).headers["etag"])
    assert len(set(tags)) == len(tags)
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
async def test_what_is_known_is_not_sent_again(http: httpx.AsyncClient, form: str) -> None:
    created = await create(http)
    known = {"if-none-match": form.format(created.headers["etag"])}
    for method in ("GET", "HEAD"):
        answer = await http.request(method, created.headers["location"], headers=known)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == created.headers["etag"]
        assert "content-length" not in answer.headers
        assert "content-type" not in answer.headers


async def test_what_is_not_known_is_sent(http: httpx.AsyncClient) -> None:
    path = (await create(http)).headers["location"]
    assert (await http.get(path, headers={"if-none-match": '"x"'})).status_code == 200
    assert (await http.get(path, headers={"if-none-match": "x"})).status_code == 200


async def test_a_wait_for_what_is_known_sends_nothing_either(http: httpx.AsyncClient) -> None:
    created = await create(http)
    headers = {"if-none-match": created.headers["etag"], "prefer": "wait=0"}
    answer = await http.get(created.headers["location"], headers=headers)
    assert (answer.status_code, answer.headers["preference-applied"]) == (304, "wait=0")


Say = Callable[[httpx.AsyncClient, str, dict[str, str]], Awaitable[httpx.Response]]


async def cancel(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> httpx.Response:
    return await http.post(f"{path}/cancel", headers=headers)


async def retry(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> httpx.Response:
    return await http.post(f"{path}/retry", headers=headers)


async def change(http: httpx.AsyncClient, path: str, headers: dict[str, str]) -> httpx.Response:
    return await http.patch(path, json={"queue": "mail"}, headers=headers)


async def ready_for(say: Say, world: World, http: httpx.AsyncClient) -> str:
    """The path of a job to which this can be done."""
    path: str = (await create(http)).headers["location"]
    if say is retry:
        await world.finish(FAILED)
    return path


VERBS = pytest.mark.parametrize("say", [cancel, retry, change])


@VERBS
@pytest.mark.parametrize("form", ["{}", '"x", {}', "*"])
async def test_the_version_that_is_meant_is_changed(world: World, http: httpx.AsyncClient, say: Say, form: str) -> None:
    path = await ready_for(say, world, http)
    tag = (await http.get(path)).headers["etag"]
    answer = await say(http, path, {"if-match": form.format(tag)})
    assert answer.status_code == 200
    assert answer.headers["etag"] == (await http.get(path)).headers["etag"] != tag


@VERBS
@pytest.mark.parametrize("form", ['"x"', "W/{}", '"x{}', "x", ""])
async def test_another_version_is_left_alone(world: World, http: httpx.AsyncClient, say: Say, form: str) -> None:
    path = await ready_for(say, world, http)
    before = await http.get(path)
    said = {"if-match": form.format(before.headers["etag"])}
    document = is_problem(await say(http, path, said), 412, "FM412")
    assert before.json()["status"] in document["detail"]
    assert (await http.get(path)).content == before.content


@VERBS
async def test_a_job_that_is_not_there_is_404(http: httpx.AsyncClient, say: Say) -> None:
    is_problem(await say(http, f"/jobs/{UNKNOWN}", {"if-match": '"x"'}), 404, "FM404")


async def test_another_version_is_not_deleted(world: World, http: httpx.AsyncClient) -> None:
    path = (await create(http)).headers["location"]
    waiting = (await http.get(path)).headers["etag"]
    await http.post(f"{path}/cancel")
    is_problem(await http.delete(path, headers={"if-match": waiting}), 412, "FM412")
    ended = (await http.get(path)).headers["etag"]
    assert (await http.delete(path, headers={"if-match": ended})).status_code == 204


class Changing:
    """A client whose job is changed by somebody else right after each read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.controls = world.client.controls

    async def get(self, id: str) -> object:
        found = await self._world.client.get(id)
        await self._world.store.place([id], Placement(priority=1), self._world.clock.now())
        return found

    def __getattr__(self, name: str) -> object:
        return getattr(self._world.client, name)


async def test_who_changes_it_between_the_look_and_the_cancel_goes_first(world: World, http: httpx.AsyncClient) -> None:
    created = await create(http)
    transport = httpx.ASGITransport(world.over(Changing(world)))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as other:
        answer = await cancel(other, created.headers["location"], {"if-match": created.headers["etag"]})
    is_problem(answer, 412, "FM412")
    assert (await http.get(created.headers["location"])).json()["status"] == "pending"
