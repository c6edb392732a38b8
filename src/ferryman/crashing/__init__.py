"""Tests handlers by killing the nodes that run them; docs/testing.md shows how.

    undisturbed:   node A ------------------------------> its effects are what all others are compared with
    killed:        node A --- point, SIGKILL              node B ------> the same effects?
    overtaken:     node A --- point, SIGSTOP  ..........................  SIGCONT ---> the same effects?
                                               node B ------>
    killed twice:  as killed, and node B is killed at another point; node C does the rest

The nodes are real ones, in forked processes on a real file. Nothing of death is imitated: no `finally` runs, and
locks and open transactions end as they do in life.
"""

from __future__ import annotations

from ferryman.crashing.crashtest import crash_test
from ferryman.crashing.effects import Effect
from ferryman.crashing.points import Point, What
from ferryman.crashing.report import CrashReport, Finding, Scenario

__all__ = ["CrashReport", "Effect", "Finding", "Point", "Scenario", "What", "crash_test"]
