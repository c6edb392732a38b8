"""The testing kit: `with app.testing() as queue`. docs/testing.md shows how it is used.

app.testing()  ->  Testing  ->  the app's bridge goes another Way  ->  KitWorld: clock, memory store, clients
                      |                                                    ^
                      +------>  TestQueue  ->  Runs  ->  HandNode  --------+   claim, executor, decide, finish
                                     `-> Driver: a loop with virtual time, where the test has none
"""

from __future__ import annotations

from ferryman.testing.kit.queue import AsyncTestQueue, TestQueue
from ferryman.testing.kit.seen import SeenJob
from ferryman.testing.kit.testing import Testing
from ferryman.testing.kit.world import Limits

__all__ = ["AsyncTestQueue", "Limits", "SeenJob", "TestQueue", "Testing"]
