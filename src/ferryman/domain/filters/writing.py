"""The one text of a filter."""

from __future__ import annotations

import json
import re
from typing import Final, cast

from ferryman.domain.filters.meaning import Field, JobFilter, Term
from ferryman.domain.filters.times import write_span
from ferryman.domain.filters.values import read_bare

_WORD: Final = re.compile(r'[^\s,"]+')
_PART: Final = re.compile(r'[^\s,".:]+')
_ORDER: Final = {field: place for place, field in enumerate(Field)}


def render(filter: JobFilter) -> str:
    """What `parse` reads as the same conditions: equal ones always give the same text. Ages have become times.

    Where a page starts, its length and its order are not in it.
    """
    terms = sorted(filter.conditions(), key=lambda term: (_ORDER[term.field], term.path, term.negated, _values(term)))
    words = [f"{'-' * term.negated}{_name(term)}:{_values(term)}" for term in terms]
    words += [f"created:{each}" for each in write_span(filter.created)]
    words += [f"finished:{each}" for each in write_span(filter.finished)]
    return " ".join(words)


def _name(term: Term) -> str:
    return ".".join((term.field, *(part if _PART.fullmatch(part) else _quoted(part) for part in term.path)))


def _values(term: Term) -> str:
    write = _json if term.field is Field.PAYLOAD else _word
    return ",".join(write(value) for value in sorted(term.values))


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else _quoted(text)


def _json(value: str) -> str:
    """A JSON text, without the quotes of a text that is one without them, too."""
    if not value.startswith('"'):
        return value
    text = cast("str", json.loads(value))
    return text if _WORD.fullmatch(text) and read_bare(text) == value else value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
