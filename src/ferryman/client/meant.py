"""How the audit log says which jobs a verb about many means."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from ferryman.domain.filters import Field, JobFilter, render
from ferryman.domain.secrets import MASK

_HIDDEN: Final = frozenset({f'"{MASK}"'})


def members(filter: JobFilter) -> dict[str, Any]:
    """What a filter asks for, as the log says it: without what it looks for in payloads."""
    asked = {"status": filter.statuses, "type": filter.types, "queue": filter.queues, "tag": filter.tags}
    told: dict[str, Any] = {name: sorted(values) for name, values in asked.items() if values}
    terms = frozenset(replace(term, values=_HIDDEN) if term.field is Field.PAYLOAD else term for term in filter.terms)
    text = render(JobFilter(terms=terms, created=filter.created, finished=filter.finished))
    return {**told, "text": text} if text else told
