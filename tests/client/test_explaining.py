"""Why a job waits, as a client gathers it."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import JobNotFound
from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from tests.client.world import DONE, World, send

pytestmark = pytest.mark.anyio


async def test_a_job_that_no_node_can_run_says_so() -> None:
    world = World()
    job = await world.client.enqueue(send())
    told = await world.client.explain(job.id)
    assert told.summary == "No node lives. `ferryman serve` or `ferryman work` starts one."
    await world.node("other")
    told = await world.client.explain(job.id)
    assert told.summary == "No node has ever known type send."


async def test_the_last_node_that_knew_the_type_is_remembered() -> None:
    world = World()
    job = await world.client.enqueue(send())
    node = await world.node("send")
    await world.store.retire(node, world.clock.now())
    await world.node("other")
    world.clock.advance(90)
    told = await world.client.explain(job.id)
    assert told.summary == "No node that lives knows type send; the last one that did ended 1.5 min ago."


async def test_the_start_is_estimated_by_how_fast_jobs_have_ended() -> None:
    world = World()
    node = await world.node("send")
    for _ in range(4):
        await world.client.enqueue(send())
    last = await world.client.enqueue(send())
    assert (await world.client.explain(last.id)).estimated_start is None
    world.clock.advance(2)
    await world.end(node, await world.claim(node), DONE)
    told = await world.client.explain(last.id)
    assert (told.ahead, told.estimated_start) == (3, world.clock.now() + 6 * MICROS), "one in two seconds"


async def test_a_limit_is_named_with_those_who_hold_it() -> None:
    world = World()
    node = await world.node("send")
    await world.client.rules.limit(Scope.TYPE, "send", Limit(1))
    first, second = [await world.client.enqueue(send()) for _ in range(2)]
    await world.claim(node)
    told = await world.client.explain(second.id)
    assert told.summary == f"Type send runs 1 of at most 1: {first.id}."


async def test_of_a_job_that_runs_or_has_ended_nothing_else_is_asked() -> None:
    world = World()
    node = await world.node("send")
    job = await world.client.enqueue(send())
    claimed = await world.claim(node)
    world.store.verbs.clear()
    assert (await world.client.explain(job.id)).summary.startswith("It runs on node ")
    assert world.store.verbs == ["get"]
    await world.end(node, claimed, DONE)
    world.store.verbs.clear()
    assert (await world.client.explain(job.id)).summary == "It has ended."
    assert world.store.verbs == ["get"]


async def test_a_job_before_the_gate_of_its_key_is_told_what_keeps_it() -> None:
    world = World()
    await world.node("send")
    await world.client.keys.set("k", GateRule(concurrency=1))
    _, second = [await world.client.enqueue(send(key="k")) for _ in range(2)]
    told = await world.client.explain(second.id)
    assert told.summary == "Key k has let in 1 of at most 1; 1 job waits before its gate, this one among them."
    await world.client.keys.set("k", GateRule(rate=0.1))
    told = await world.client.explain(second.id)
    assert told.summary.startswith("Key k lets in 6/m;")


async def test_a_job_that_is_not_there_is_an_error() -> None:
    with pytest.raises(JobNotFound):
        await World().client.explain("01890a5d-ac96-774b-bcce-b302099a8057")
