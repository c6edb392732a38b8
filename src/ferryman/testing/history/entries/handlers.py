"""What handlers note on their own, in a log that is not the store."""

from __future__ import annotations

from typing import Literal

from ferryman.testing.history.entries.entry import Entry

How = Literal["returned", "raised", "snoozed", "cancelled", "cut off"]


class Started(Entry, frozen=True, kw_only=True):
    """A handler starts."""

    job: str
    number: int
    attempt: int
    node: str


class Ended(Entry, frozen=True, kw_only=True):
    """A handler ends; one that dies with its process notes nothing."""

    job: str
    number: int
    how: How
    result: str | None = None
    """JSON text, for "returned"."""


class Committing(Entry, frozen=True, kw_only=True):
    """A handler comes to the end of its transaction: what it wrote in it, its follow-ups and its completion, with this
    result, are to commit together. What it returns afterwards counts for nothing, if they do."""

    job: str
    number: int
    result: str | None = None
    """JSON text."""
