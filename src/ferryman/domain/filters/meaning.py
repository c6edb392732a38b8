"""What a filter means: the reference that all stores judge jobs by, whatever they know of a job beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ferryman.domain.filters.times import Span
from ferryman.domain.filters.values import text_at, value_of
from ferryman.domain.ids import floor_of
from ferryman.domain.job import Job, Lane
from ferryman.domain.secrets import mask
from ferryman.domain.state import TERMINAL, Status

SCAN: Final = 50_000
"""So many jobs that do not fit are looked at for one page, unless a filter says otherwise."""


class Field(StrEnum):
    """What a term is about; a payload's member has a path, too."""

    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    TAG = "tag"
    PAYLOAD = "payload"
    ERROR = "error"
    GROUP = "group"


_READ: Final = frozenset({Field.TAG, Field.PAYLOAD, Field.ERROR, Field.GROUP})


class Term(msgspec.Struct, frozen=True):
    """One condition: that one of the values is found in a job; or, negated, none of them."""

    field: Field
    values: frozenset[str]
    """Of a payload they are JSON texts, as `values.text_of` gives them."""
    path: tuple[str, ...] = ()
    """The members, outermost first, that lead to the value in a payload."""
    negated: bool = False

    def holds(self, found: Iterable[str]) -> bool:
        """Whether it holds for a job in which these texts were found."""
        return any(map(self.meaning(), found)) != self.negated

    def meaning(self) -> Callable[[str], bool]:
        """What says of a text whether it is, or is like, one of the values; made once for any number of texts."""
        match self.field:
            case Field.TYPE:
                return lambda text: any(is_like(text, pattern) for pattern in self.values)
            case Field.ERROR:
                return _seek([word.casefold() for word in self.values])
            case _:
                return self.values.__contains__


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs to list. Every condition must be met; empty collections mean "all", several values mean "or"."""

    statuses: frozenset[Status] = frozenset()
    types: frozenset[str] = frozenset()
    """In a type, `*` stands for any text."""
    queues: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    after: str | None = None
    """The id after which (in the order asked for) the page starts."""
    limit: int = 1000
    newest_first: bool = False
    bodies: bool = True
    """Whether payloads and results are wanted; else each payload is `LEFT_OUT`, and each result None."""
    terms: frozenset[Term] = frozenset()
    """Further conditions."""
    created: Span = Span()
    """By the time that is in the job's id."""
    finished: Span = Span()
    scan: int = SCAN
    """How many jobs that do not fit are looked at, before a page ends short."""
    secrets: Mapping[str, frozenset[str]] = {}
    """The members of each type's payloads that are not shown: what nobody may see, nobody is to find out by asking."""

    def conditions(self) -> list[Term]:
        """All terms, those included that have fields of their own."""
        own = (
            (Field.STATUS, frozenset(map(str, self.statuses))),
            (Field.TYPE, self.types),
            (Field.QUEUE, self.queues),
            (Field.TAG, self.tags),
        )
        return [Term(field, values) for field, values in own if values] + list(self.terms)

    def judge(self) -> Callable[[Job], bool]:
        """What says of a job whether it meets every condition."""
        terms = [(term, term.meaning()) for term in self.conditions()]
        reads = self.looks_into_payloads()
        low, high = self.ids()

        def fits(job: Job) -> bool:
            if (low is not None and job.id <= low) or (high is not None and job.id >= high):
                return False
            if not self.finished.holds(job.finished_at):
                return False
            payload = self._payload(job) if reads else None
            return all(any(map(means, _found(term, job, payload))) != term.negated for term, means in terms)

        return fits

    def possible(self) -> frozenset[Status]:
        """The statuses in which a job can fit."""
        terms = [term for term in self.conditions() if term.field is Field.STATUS]
        found = frozenset(status for status in Status if all(term.holds((status,)) for term in terms))
        if self.named(Field.GROUP) is not None:  # one that has completed has no error
            found -= {Status.COMPLETED}
        return found if self.finished == Span() else found & TERMINAL

    def named(self, field: Field) -> frozenset[str] | None:
        """The values of a field that it asks for by name; None where it does not."""
        terms = [term.values for term in self.conditions() if term.field is field and not term.negated]
        return terms[0].intersection(*terms[1:]) if terms else None

    def lanes(self, known: Mapping[int, Lane]) -> list[int] | None:
        """The numbers of those lanes in which a job can fit; None where it can in every one."""
        types = [term for term in self.conditions() if term.field is Field.TYPE]
        queues = [term for term in self.conditions() if term.field is Field.QUEUE]
        if not types and not queues:
            return None
        return [
            number
            for number, lane in known.items()
            if all(term.holds((lane.type,)) for term in types) and all(term.holds((lane.queue,)) for term in queues)
        ]

    def reads(self) -> bool:
        """Whether a job has to be read to be judged: its status, its lane and its id do not say enough."""
        return self.finished != Span() or any(term.field in _READ for term in self.conditions())

    def reads_payloads(self) -> bool:
        """Whether payloads have to be read: they are wanted, or it asks for what is in them."""
        return self.bodies or self.looks_into_payloads()

    def looks_into_payloads(self) -> bool:
        """Whether it asks for what is in a payload, where there may be `secrets`."""
        return any(term.field is Field.PAYLOAD for term in self.terms)

    def ids(self) -> tuple[str | None, str | None]:
        """The ids after the first and before the second one are those of jobs that were created in time."""
        start, end = self.created.start, self.created.end
        return None if start is None else floor_of(start), None if end is None else floor_of(end)

    def _payload(self, job: Job) -> object:
        """What is shown of it."""
        secrets = self.secrets.get(job.type)
        return value_of(mask(job.payload, secrets) if secrets else job.payload)


def is_like(text: str, pattern: str) -> bool:
    """Whether a text is what a pattern says, in which `*` stands for any text. It takes no longer than reading both."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - len(last) >= at and text.endswith(last)


def _seek(words: Sequence[str]) -> Callable[[str], bool]:
    """What says of a text whether one of the words is in it, however both are capitalised."""

    def seek(text: str) -> bool:
        folded = text.casefold()  # once, as a filter may have a thousand words
        return any(word in folded for word in words)

    return seek


def _found(term: Term, job: Job, payload: object) -> Iterable[str]:
    """The texts of a job that a term is about."""
    match term.field:
        case Field.STATUS:
            return (job.status,)
        case Field.TYPE:
            return (job.type,)
        case Field.QUEUE:
            return (job.queue,)
        case Field.TAG:
            return job.tags
        case Field.PAYLOAD:
            text = text_at(payload, term.path)
            return () if text is None else (text,)
        case Field.GROUP:
            return () if job.error is None or job.error.group is None else (job.error.group,)
        case _:
            return () if job.error is None else (job.error.code, job.error.type, job.error.message)
