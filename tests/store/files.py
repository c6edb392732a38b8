"""What the tests of the SQLite file share: building stores by hand, and jobs for them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.engine.runner import InlineRunner
from ferryman.store.protocol import Clock, NodeInfo, Runner
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance.harness import RETENTION


def inline(_: str) -> Runner:
    """Every step on the test's own thread."""
    return InlineRunner()


def sqlite_store(
    path: Path, clock: Clock | None = None, runner: Callable[[str], Runner] = inline, **options: Any
) -> SqliteStore:
    """A store that is not open yet."""
    clock = clock or ManualClock()
    return SqliteStore(path, clock=clock, ids=IdMinter(random.Random(7)), retention=RETENTION, runner=runner, **options)


def new_job(id: str, **fields: Any) -> NewJob:
    """A job of the type `t`."""
    return NewJob(id=id, type="t", payload="{}", created_at=ManualClock().now(), **fields)


def node_info(id: str) -> NodeInfo:
    """A node that runs the type `t`."""
    return NodeInfo(id, "host", 1, "0", frozenset({"t"}), None, 10)


def claim_of(node: int, batch: int = 1, limit: int = 10) -> ClaimRequest:
    """A claim of up to `limit` jobs by a node with as many idle workers."""
    return ClaimRequest(node, batch, frozenset({"t"}), None, limit, limit, True)
