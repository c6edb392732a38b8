"""A filter for a verb that is not for jobs of every status."""

from __future__ import annotations

from msgspec.structs import replace

from ferryman.domain import options
from ferryman.domain.filters.meaning import Field, JobFilter
from ferryman.domain.state import Status


def narrowed(filter: JobFilter, allowed: frozenset[Status], usual: frozenset[Status]) -> JobFilter:
    """The filter with the statuses that are meant where it names none. Raises BadOption: one is not allowed."""
    named = filter.named(Field.STATUS)
    for status in sorted((named or frozenset()) - allowed):
        raise options.refused("status", status, ", ".join(each for each in Status if each in allowed))
    return replace(filter, statuses=usual) if named is None else filter
