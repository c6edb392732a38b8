"""Types that this process does not declare: their jobs are made as the latest node that has them says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.client.joining import Joining
from ferryman.client.known import KEPT
from ferryman.domain.errors import StoreFailed, UnknownType
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Job, NewJob
from ferryman.store.protocol import Declaration, JobFilter, Receipt, Verdict
from ferryman.store.transactions import Entry
from ferryman.testing.clock import ManualClock
from tests.client.world import Catalogue, World, send

pytestmark = pytest.mark.anyio

NIGHT = Declaration("night", 2, 1, frozenset({"token"}))
DAY = Declaration("day", 7, 9)
SECRET = '{"token":"hunter2","n":1}'
SHOWN = '{"token":"***","n":1}'


def asked(world: World) -> int:
    """How often the store was asked for its types."""
    return world.store.verbs.count("known_types")


def options_of(job: Job | NewJob) -> tuple[str, int, int]:
    return job.queue, job.priority, job.max_attempts


async def made(world: World, type: str = "clean", **options: Any) -> tuple[str, int, int]:
    """What a job of a type is made with."""
    return options_of((await world.client.enqueue(JobRequest(type, **options))).job())


# -- enqueue ---------------------------------------------------------------------------------------


async def test_a_job_takes_what_a_node_declared_of_its_type(world: World) -> None:
    await world.node(clean=NIGHT)
    accepted = await world.client.enqueue(JobRequest("clean"))
    assert options_of(await world.client.get(accepted.id)) == ("night", 2, 1)


async def test_a_request_goes_before_what_a_node_declared(world: World) -> None:
    await world.node(clean=NIGHT)
    assert await made(world, queue="slow", priority=0, max_attempts=3) == ("slow", 0, 3)
    assert await made(world, priority=0) == ("night", 0, 1)


async def test_the_process_goes_before_the_store_and_does_not_ask_it(world: World) -> None:
    await world.node(send=NIGHT)
    job = (await world.client.enqueue(send())).job()
    assert options_of(job) == ("mail", 3, 7)
    assert await world.client.enqueue_many([send(), send()]) == 2
    assert (await world.client.shown(job)).payload == job.payload
    assert asked(world) == 0


async def test_a_type_of_which_nothing_is_said_has_the_defaults(world: World) -> None:
    await world.node("clean")
    assert await made(world) == ("default", 5, 5)


async def test_many_at_a_time_take_it_too_and_ask_once(world: World) -> None:
    await world.node(clean=NIGHT, tidy=DAY)
    assert await world.client.enqueue_many(JobRequest(type) for type in ["clean", "tidy", "clean"]) == 3
    jobs = await world.client.list(JobFilter())
    assert [options_of(job) for job in jobs] == [("night", 2, 1), ("day", 7, 9), ("night", 2, 1)]
    assert asked(world) == 1


async def test_an_answer_is_kept_for_a_while_and_then_asked_for_again(world: World) -> None:
    await world.node(clean=NIGHT)
    assert await made(world) == ("night", 2, 1)
    await world.node(clean=DAY)
    world.clock.advance(KEPT - 0.1)
    assert await made(world) == ("night", 2, 1)
    assert asked(world) == 1
    world.clock.advance(0.1)
    assert await made(world) == ("day", 7, 9)
    assert asked(world) == 2


async def test_a_type_that_is_not_in_the_answer_is_asked_for_at_once(world: World) -> None:
    await world.node(clean=NIGHT)
    await made(world)
    with pytest.raises(UnknownType):
        await made(world, "tidy")
    await world.node(tidy=DAY)
    assert await made(world, "tidy") == ("day", 7, 9)


async def test_where_unknown_types_are_accepted_the_store_is_not_asked_for_each() -> None:
    world = World(accept_unknown_types=True)
    assert await made(world) == ("default", 5, 5)
    await world.node(clean=NIGHT)
    assert await made(world) == ("default", 5, 5)
    assert asked(world) == 1
    world.clock.advance(KEPT)
    assert await made(world) == ("night", 2, 1)


async def test_many_who_wait_for_an_answer_ask_once(world: World) -> None:
    gate = asyncio.Event()
    answer = world.memory.known_types

    async def slowly() -> Mapping[str, Declaration]:
        await gate.wait()
        return await answer()

    await world.node(clean=NIGHT)
    world.memory.known_types = slowly  # type: ignore[method-assign]
    waiting = [asyncio.ensure_future(made(world)) for _ in range(5)]
    for _ in range(5):
        await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*waiting) == [("night", 2, 1)] * 5
    assert asked(world) == 1


async def test_a_store_that_cannot_answer_refuses_and_is_asked_again(world: World) -> None:
    await world.node(clean=NIGHT)
    world.store.before["known_types"] = [StoreFailed("The disk is gone.")]
    with pytest.raises(StoreFailed):
        await made(world)
    assert await world.all() == []
    assert await made(world) == ("night", 2, 1)


# -- shown -----------------------------------------------------------------------------------------


async def test_secrets_that_only_a_node_declares_are_hidden(world: World) -> None:
    await world.node("plain", clean=NIGHT)
    secret = (await world.client.enqueue(JobRequest("clean", SECRET))).job()
    plain = (await world.client.enqueue(JobRequest("plain", SECRET))).job()
    other = world.another()
    assert (await other.shown(secret)).payload == SHOWN
    assert await other.shown(plain) is plain
    assert (await world.client.get(secret.id)).payload == SECRET, "the handler needs it"


async def test_a_page_asks_once(world: World) -> None:
    await world.node("plain", clean=NIGHT, tidy=NIGHT)
    for type in ["clean", "plain", "tidy", "clean", "send"]:
        await world.client.enqueue(JobRequest(type, SECRET))
    before, other = asked(world), world.another(accept_unknown_types=True)
    page = await other.all_shown(await other.list(JobFilter()))
    assert [job.payload for job in page] == [SHOWN, SECRET, SHOWN, SHOWN, SECRET]
    assert asked(world) - before == 1
    assert await other.all_shown([]) == []


# -- in the transactions of others -----------------------------------------------------------------


class Ledger:
    """Somebody's own transaction, of which the test is told what happens in it."""

    def __init__(self) -> None:
        self.types: dict[str, Declaration] = {}
        self.jobs: list[NewJob] = []
        self.asked = 0

    def insert(self, connection: Any, entry: Entry) -> list[Receipt]:
        self.asked += entry.asks
        jobs = entry.admit(dict(self.types) if entry.asks else None)
        self.jobs += jobs
        return [Receipt(job.id, Verdict.INSERTED) for job in jobs]

    async def ainsert(self, connection: Any, entry: Entry) -> list[Receipt]:
        return self.insert(connection, entry)


def test_a_job_in_a_transaction_takes_what_a_node_declared_and_that_is_kept_for_a_while() -> None:
    clock, ledger = ManualClock(), Ledger()
    joining = Joining(ledger, Admission(Catalogue(), clock, IdMinter(random.Random(3))), clock, 0)

    def enqueue(*types: str) -> list[tuple[str, int, int]]:
        joining.enqueue(None, [JobRequest(type, '{"to":"a"}') for type in types], lambda: None)
        return [options_of(job) for job in ledger.jobs[-len(types) :]]

    assert enqueue("send") == [("mail", 3, 7)]
    assert ledger.asked == 0
    with pytest.raises(UnknownType, match="This process has not declared the type clean"):
        enqueue("clean")
    ledger.types = {"clean": NIGHT}
    assert enqueue("clean", "send", "clean") == [("night", 2, 1), ("mail", 3, 7), ("night", 2, 1)]
    ledger.types = {"clean": DAY}
    clock.advance(KEPT - 0.1)
    assert enqueue("clean") == [("night", 2, 1)]
    assert ledger.asked == 2
    clock.advance(0.1)
    assert enqueue("clean") == [("day", 7, 9)]
    assert ledger.asked == 3


def test_where_nobody_can_be_asked_an_accepted_type_has_the_defaults() -> None:
    admission = Admission(Catalogue(), ManualClock(), IdMinter(random.Random(3)), accept_unknown_types=True)
    assert options_of(admission.admit(JobRequest("clean"))) == ("default", 5, 5)
