"""Keys: what a request's key becomes, and what a person may say about one."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.client import JobRequest
from ferryman.client.making import body_hash
from ferryman.domain.errors import BadOption, KeyNotFound
from ferryman.domain.job import NewJob
from ferryman.domain.keyed import KeyedByArgument
from ferryman.domain.keys import GateRule
from ferryman.domain.state import Status
from ferryman.store.protocol import Declaration
from tests.client.world import DONE, FAILED, World, send

pytestmark = pytest.mark.anyio
ONE = GateRule(concurrency=1)
SEQUENCE = GateRule(strict=True)


def inserted(world: World) -> NewJob:
    return world.store.batches[-1][-1]


async def test_the_key_of_a_request_is_that_of_its_job(world: World) -> None:
    accepted = await world.client.enqueue(send(key="k"))
    assert (inserted(world).key, inserted(world).gate) == ("k", None)
    assert (accepted.status, accepted.job().status) == (Status.WAITING, Status.WAITING)
    await world.client.enqueue(send())
    assert inserted(world).key is None
    with pytest.raises(BadOption, match="key cannot be ''"):
        await world.client.enqueue(send(key=""))


async def test_a_type_of_another_process_says_how_its_jobs_have_keys(world: World) -> None:
    await world.node("send", bill=Declaration(keyed=KeyedByArgument(ONE, "customer")))
    request = msgspec.structs.replace(send(), type="bill", payload='{"customer":7}', checked=False)
    await world.client.enqueue(request)
    assert (inserted(world).key, inserted(world).gate) == ("7", ONE)
    await world.client.enqueue(msgspec.structs.replace(request, key="other"))
    assert (inserted(world).key, inserted(world).gate) == ("other", ONE)
    await world.client.enqueue(msgspec.structs.replace(request, payload="{}"))
    assert (inserted(world).key, inserted(world).gate) == (None, None)


def test_a_key_makes_another_request_of_it_and_none_changes_nothing() -> None:
    request = JobRequest("send", '{"to":"a","n":1}', queue="q", tags=("x",), idempotency_key="i")
    told = body_hash(request)
    # as versions that knew no keys have told it, so that a replay over an upgrade is one
    assert told == "0379853dd09a9f993a13972faaea9dd3b5bfeb48e598404a7771fdf8f6e8f484"
    assert len({told, *(body_hash(msgspec.structs.replace(request, key=key)) for key in "kl")}) == 3


async def test_keys_are_listed_set_and_unset(world: World) -> None:
    with pytest.raises(KeyNotFound, match="Nobody uses the key 'k'"):
        await world.client.keys.get("k")
    with pytest.raises(KeyNotFound):
        await world.client.keys.unset("k")
    status = await world.client.keys.set("k", ONE)
    assert (status.pinned, status.rule) == (True, ONE)
    assert world.wakes.said[-1] == "work"
    assert await world.client.keys.list() == [status]
    assert await world.client.keys.list("k") == []
    assert not (await world.client.keys.unset("k")).pinned
    with pytest.raises(BadOption):
        await world.client.keys.set("", ONE)


async def test_a_key_is_paused_and_resumed(world: World) -> None:
    with pytest.raises(KeyNotFound):
        await world.client.keys.resume("k")
    assert (await world.client.keys.pause("k")).paused
    accepted = await world.client.enqueue(send(key="k"))
    assert (await world.client.get(accepted.id)).status is Status.WAITING
    world.wakes.said.clear()
    assert not (await world.client.keys.resume("k")).paused
    assert world.wakes.said == ["work"]
    assert (await world.client.get(accepted.id)).status is Status.PENDING


async def test_a_sequence_goes_on_without_its_failed_job(world: World) -> None:
    with pytest.raises(KeyNotFound):
        await world.client.keys.let_pass("k")
    await world.client.keys.set("k", SEQUENCE)
    first, second = [await world.client.enqueue(send(key="k")) for _ in range(2)]
    node = await world.node("send")
    await world.end(node, await world.claim(node), FAILED)
    assert (await world.client.keys.get("k")).held_by == (first.id,)
    assert list(await world.client.keys.let_pass("k")) == [first.id]
    assert world.wakes.said[-1] == "work"
    await world.end(node, await world.claim(node), DONE)
    assert (await world.client.get(second.id)).status is Status.COMPLETED


async def test_a_cancel_that_makes_room_wakes_the_workers(world: World) -> None:
    await world.client.keys.set("k", ONE)
    first, second = [await world.client.enqueue(send(key="k")) for _ in range(2)]
    world.wakes.said.clear()
    await world.client.cancel(second.id)
    assert world.wakes.said == []
    third = await world.client.enqueue(send(key="k"))
    world.wakes.said.clear()
    await world.client.cancel(first.id)
    assert world.wakes.said == ["work"]
    assert (await world.client.get(third.id)).status is Status.PENDING
