"""What a race is: two calls that meet over one job, and a judge.

A heat is plain data but for its judge, so that two connections of one process or two processes can run it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ferryman.testing.conformance.bench import Bench


class Call(msgspec.Struct, frozen=True):
    """One verb with its arguments, to be said on any connection."""

    verb: str
    args: tuple[Any, ...]


Judge = Callable[[Any, Any], Awaitable[None]]


class Heat(msgspec.Struct, frozen=True):
    """Two calls that meet, and who says afterwards whether exactly one of them won."""

    left: Call
    right: Call
    judge: Judge


Race = Callable[[Bench], Awaitable[Heat]]


def claim(bench: Bench, node: int) -> Call:
    """A claim of everything for a node."""
    return Call("claim", (bench.request(node), bench.now))


def cancel(bench: Bench, id: str) -> Call:
    """A person's cancel."""
    return Call("cancel", (id, bench.now))


def retry(bench: Bench, id: str) -> Call:
    """A person's retry."""
    return Call("retry", (id, bench.now))


def promote(bench: Bench) -> Call:
    """A sweeper's promote."""
    return Call("promote", (bench.now, 10))
