"""command, check_in, held_by: what operators tell nodes, and what nodes say of how they are."""

from __future__ import annotations

import pytest

from ferryman.domain.audit import Action, Deed
from ferryman.domain.nodes import Condition, NodeWish, RunningJob, Wished
from ferryman.domain.outcome import What
from ferryman.store.commanding import HeldJob
from ferryman.store.protocol import AuditFilter, NodeStatus
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.handing_in import NOBODY


def _condition(bench: Bench, *, busy: int = 1) -> Condition:
    running = tuple(RunningJob(f"job-{each}", 1, "node/worker-1", bench.now) for each in range(busy))
    return Condition(bench.now, 4096, quiet=True, busy=busy, running=running)


async def _named(bench: Bench, node: int) -> str:
    """The id of the node that has a number; the last one that was registered."""
    assert bench.nodes[-1] == node
    return (await bench.store.nodes(bench.now))[-1].id


async def _told(bench: Bench) -> NodeStatus:
    """What is told of the only node."""
    (told,) = await bench.store.nodes(bench.now)
    return told


def _deed(bench: Bench, id: str, action: Action = Action.NODE_QUIET) -> Deed:
    return Deed(bench.now, "cli:anna@host", action, id)


class Commanding:
    """A wish stands in the store until the node hears it, and a later one takes its place."""

    async def test_a_node_hears_what_was_wished_of_it_last(self, bench: Bench) -> None:
        node = await bench.node()
        id = await _named(bench, node)
        assert await bench.store.check_in(node, _condition(bench)) is None
        for wish in NodeWish:
            bench.clock.advance(1)
            assert await bench.store.command(id, wish, bench.now)
            for _ in range(2):
                assert await bench.store.check_in(node, _condition(bench)) == Wished(wish, bench.now)
            assert (await _told(bench)).wish is wish

    async def test_a_wish_is_heard_by_the_node_that_it_is_for(self, bench: Bench) -> None:
        first = await bench.node()
        id = await _named(bench, first)
        bench.clock.advance(1)
        other = await bench.node()
        assert await bench.store.command(id, NodeWish.STOP, bench.now)
        assert await bench.store.check_in(other, _condition(bench)) is None
        assert [each.wish for each in await bench.store.nodes(bench.now)] == [NodeWish.STOP, None]

    @pytest.mark.parametrize("ending", ["retired", "found dead"])
    async def test_who_has_ended_is_told_nothing_and_tells_nothing(self, bench: Bench, ending: str) -> None:
        node = await bench.node()
        id = await _named(bench, node)
        assert await bench.store.command(id, NodeWish.QUIET, bench.now)
        await bench.store.check_in(node, _condition(bench))
        if ending == "retired":
            await bench.store.retire(node, bench.now)
        else:
            await bench.bury(node)
        assert not await bench.store.command(id, NodeWish.STOP, bench.now, deed=_deed(bench, id))
        assert await bench.store.check_in(node, _condition(bench)) is None
        told = await _told(bench)
        assert (told.wish, told.condition) == (NodeWish.QUIET, None)
        assert await bench.store.audit(AuditFilter(), None, 10) == []

    async def test_who_never_was_is_told_nothing(self, bench: Bench) -> None:
        assert not await bench.store.command("nobody", NodeWish.STOP, bench.now, deed=_deed(bench, "nobody"))
        assert await bench.store.check_in(NOBODY, _condition(bench)) is None
        assert list(await bench.store.held_by("nobody")) == []
        assert await bench.store.audit(AuditFilter(), None, 10) == []

    async def test_a_wish_is_written_down_once_each_time_that_it_is_said(self, bench: Bench) -> None:
        id = await _named(bench, await bench.node())
        deed = _deed(bench, id)
        for _ in range(2):  # a reply was lost
            assert await bench.store.command(id, NodeWish.QUIET, bench.now, deed=deed)
        bench.clock.advance(1)
        later = _deed(bench, id)
        assert await bench.store.command(id, NodeWish.QUIET, bench.now, deed=later)
        assert [each.deed for each in await bench.store.audit(AuditFilter(), None, 10)] == [later, deed]

    async def test_how_a_node_is_others_see_as_it_said_it_last(self, bench: Bench) -> None:
        node = await bench.node()
        assert (await _told(bench)).condition is None
        for busy in (2, 0):
            bench.clock.advance(1)
            condition = _condition(bench, busy=busy)
            await bench.store.check_in(node, condition)
            assert (await _told(bench)).condition == condition

    async def test_to_check_in_is_no_beat(self, bench: Bench) -> None:
        node = await bench.node()
        await bench.rescue()
        await bench.store.check_in(node, _condition(bench))
        assert len(await bench.bury(node)) == 1

    async def test_what_a_node_holds_is_told_until_it_has_ended(self, bench: Bench) -> None:
        other = await bench.node()
        bench.clock.advance(1)
        node = await bench.node()
        id = await _named(bench, node)
        await bench.add()
        await bench.claim(other)
        ids = [await bench.add(), await bench.add("mail", queue="letters")]
        claimed_at = bench.now
        batch = await bench.claim(node)
        bench.clock.advance(1)
        echo, mail = (
            HeldJob(ids[0], "echo", "default", 1, 1, claimed_at),
            HeldJob(ids[1], "mail", "letters", 1, 1, claimed_at),
        )
        assert list(await bench.store.held_by(id)) == [echo, mail]
        first = next(each for each in batch.jobs if each.id == ids[0])
        await bench.write(bench.ended(first, What.DONE), node=node)
        assert list(await bench.store.held_by(id)) == [mail]
