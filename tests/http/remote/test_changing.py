"""Jobs, queues and nodes are told what to do, against the API itself."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.domain.errors import BadOption, WrongState
from ferryman.domain.nodes import Condition, RunningJob
from ferryman.domain.state import Status
from ferryman.http.remote.client import RemoteClient
from tests.http.remote.jobs import echo
from tests.http.world import World

pytestmark = pytest.mark.anyio


async def test_cancel_and_retry(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    assert (await client.cancel(id)).status is Status.CANCELLED
    with pytest.raises(WrongState):
        await client.cancel(id)
    assert (await client.retry(id)).status is Status.PENDING
    with pytest.raises(WrongState):
        await client.retry(id)
    await world.claim()
    assert (await client.cancel(id)).status is Status.PROCESSING


async def test_a_queue_is_paused_and_goes_on(client: RemoteClient) -> None:
    assert (await client.pause("mail")).paused
    assert (await client.pause("mail")).paused
    assert not (await client.resume("mail")).paused
    with pytest.raises(BadOption):
        await client.pause("no/such queue")


async def test_nodes_say_how_they_are_and_are_told_what_to_do(world: World, client: RemoteClient) -> None:
    id = (await client.enqueue(echo())).id
    await world.claim()
    assert world.node is not None
    condition = Condition(world.clock.now(), None, quiet=False, busy=1)
    for wish, tell in (("quiet", client.quiet_node), ("resume", client.resume_node), ("stop", client.stop_node)):
        await world.store.check_in(world.node, condition)
        told = await tell("node-1")
        assert (told.wish, told.condition, told) == (wish, condition, await client.node("node-1"))
    running = (RunningJob(id, 1, "node-1/worker-1", world.clock.now()),)
    await world.store.check_in(world.node, msgspec.structs.replace(condition, running=running))
    [job] = await client.node_jobs("node-1")
    assert (job.id, job.worker_id) == (id, "node-1/worker-1")
    assert [job] == await world.client.commanding.jobs("node-1")
