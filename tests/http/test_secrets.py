"""Secrets are shown by no path, and the handler still gets them. The world's type `echo` has the secret `token`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.store.protocol import Declaration, NodeInfo
from tests.http.world import World

pytestmark = pytest.mark.anyio

TOKEN = "hunter2"
BODY: dict[str, Any] = {"type": "echo", "payload": {"to": "a@b.c", "token": TOKEN}, "unique_key": "k"}
SHOWN = {"to": "a@b.c", "token": "***"}


async def test_every_answer_with_a_job_hides_its_secrets(world: World, http: httpx.AsyncClient) -> None:
    made = await http.post("/jobs", json=BODY, headers={"idempotency-key": "i"})
    path = made.headers["location"]
    answers = [made, await http.post("/jobs", json=BODY, headers={"idempotency-key": "i"})]
    answers.append(await http.post("/jobs?on_conflict=return", json=BODY))
    answers.append(await http.get(path))
    answers.append(await http.post(f"{path}/cancel"))
    answers.append(await http.post(f"{path}/retry"))
    assert [each.status_code for each in answers] == [201, 201, 200, 200, 200, 200]
    page = await http.get("/jobs")
    assert [each.json()["payload"] for each in answers] + [page.json()[0]["payload"]] == [SHOWN] * 7
    assert all(TOKEN not in each.text for each in [*answers, page])
    assert (await http.get("/jobs?bodies=false")).json()[0]["payload"] is None


async def test_the_handler_gets_the_secret_itself(world: World, http: httpx.AsyncClient) -> None:
    await http.post("/jobs", json=BODY)
    [job] = await world.claim()
    assert TOKEN in job.payload


async def test_a_secret_is_hidden_in_a_job_that_has_failed(world: World, http: httpx.AsyncClient) -> None:
    made = (await http.post("/jobs", json=BODY)).json()
    await world.finish(Outcome(What.FAILED, error=JobError("FM501", "ValueError", "no"), retryable=False))
    job = await world.client.get(made["id"])
    assert (await world.client.shown(job)).payload == '{"to":"a@b.c","token":"***"}'


async def test_a_type_that_only_a_node_declares_has_its_queue_and_its_secrets_here_too(
    world: World, http: httpx.AsyncClient
) -> None:
    body = {"type": "log_in", "payload": {"name": "eve", "password": TOKEN}}
    assert (await http.post("/jobs", json=body)).status_code == 422
    declared = {"log_in": Declaration("people", 1, 1, frozenset({"password"}))}
    info = NodeInfo("elsewhere", "host", 1, "0", frozenset({"log_in"}), None, 1, declared)
    await world.store.register(info, world.clock.now())
    made = await http.post("/jobs", json=body)
    answers = [made, await http.get(made.headers["location"]), await http.get("/jobs")]
    assert all(TOKEN not in each.text for each in answers)
    job = made.json()
    assert (job["queue"], job["priority"], job["max_attempts"]) == ("people", 1, 1)
    assert job["payload"] == {"name": "eve", "password": "***"}
