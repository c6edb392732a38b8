"""Histories of what happened, and a checker that decides from them whether every promise was kept."""

from __future__ import annotations

from ferryman.testing.history.checker import NOT_YET, PROMISES, check
from ferryman.testing.history.entries import AnyEntry, Entry, from_line, to_line
from ferryman.testing.history.history import Final, History, Terms, Violation, final_state
from ferryman.testing.history.situations import ON_A_SERVER, SOMETIMES, WITH_TRANSACTIONS, sometimes
from ferryman.testing.history.telling import story

__all__ = [
    "NOT_YET",
    "ON_A_SERVER",
    "PROMISES",
    "SOMETIMES",
    "WITH_TRANSACTIONS",
    "AnyEntry",
    "Entry",
    "Final",
    "History",
    "Terms",
    "Violation",
    "check",
    "final_state",
    "from_line",
    "sometimes",
    "story",
    "to_line",
]
