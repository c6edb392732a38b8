"""The memory store passes the conformance suite, of which it is the reference."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from ferryman.domain.ids import IdMinter
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import NodeInfo
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import LEASE, RETENTION, Harness, StoreConformance
from tests.store.harnesses import MemoryHarness


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def make_harness(self) -> Callable[[], Harness]:
        return MemoryHarness


@pytest.mark.anyio
async def test_a_node_of_this_process_is_never_known_to_be_gone() -> None:
    clock = ManualClock()
    store = MemoryStore(clock, IdMinter(random.Random(1)), RETENTION)
    node = await store.register(NodeInfo("node", "host", 1, "0.1.0", frozenset(), None, 1), clock.now())
    assert await store.rescue(clock.now(), LEASE) == []
    clock.advance(LEASE)
    assert store.beat(node)
    assert await store.rescue(clock.now(), LEASE) == []
    clock.advance(LEASE)
    assert len(await store.rescue(clock.now(), LEASE)) == 1


def test_no_theme_of_the_suite_hides_a_test_of_another() -> None:
    names = [name for theme in StoreConformance.__mro__ for name in vars(theme) if name.startswith("test_")]
    assert len(names) == len(set(names))
