"""Which jobs a verb about many means, and how the audit log says it."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from ferryman.domain import options
from ferryman.domain.filters import Field, JobFilter, render
from ferryman.domain.secrets import MASK
from ferryman.domain.state import Status

_HIDDEN: Final = frozenset({f'"{MASK}"'})


def narrowed(filter: JobFilter, allowed: frozenset[Status], usual: frozenset[Status]) -> JobFilter:
    """The filter with the statuses that are meant where it names none. Raises BadOption: one is not allowed."""
    named = filter.named(Field.STATUS)
    for status in sorted((named or frozenset()) - allowed):
        raise options.refused("status", status, ", ".join(each for each in Status if each in allowed))
    return replace(filter, statuses=usual) if named is None else filter


def members(filter: JobFilter) -> dict[str, Any]:
    """What a filter asks for, as the log says it: without what it looks for in payloads."""
    asked = {"status": filter.statuses, "type": filter.types, "queue": filter.queues, "tag": filter.tags}
    told: dict[str, Any] = {name: sorted(values) for name, values in asked.items() if values}
    terms = frozenset(replace(term, values=_HIDDEN) if term.field is Field.PAYLOAD else term for term in filter.terms)
    text = render(JobFilter(terms=terms, created=filter.created, finished=filter.finished))
    return {**told, "text": text} if text else told
