"""Filters and payloads as a person might make them, from few words, so that they often meet."""

from __future__ import annotations

import random
from typing import Final

from hypothesis import strategies as st

from ferryman.domain.error_groups import group_of
from ferryman.domain.filters import Field, JobFilter, Span, Term
from ferryman.domain.filters.values import text_of
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import JobError
from ferryman.domain.state import Status

words: Final = st.sampled_from(
    ["a", "A", "mail", "mail.eu", "42", "true", "", "a b", "a,b", '"', "-x", "x:y", "*", "\u00df", "ss"]
)
"""Some of them have to be written in quotes."""
scalars: Final = (
    words | st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e300, 2**64 - 1])
)
members: Final = st.sampled_from(["a", "b", "a.b", "0", "x y"])
_values: Final = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(members, inner))
payloads: Final = st.dictionaries(members, _values, max_size=3)
ERRORS: Final = ("mail", "A b", "\u1e9e", "")
"""What errors say."""


def error(message: str) -> JobError:
    """An error that says so."""
    return JobError("FM501", "OSError", message)


def minted(at: int) -> str:
    """An id of that time, in microseconds."""
    return IdMinter(random.Random(at)).mint(at)


def sets(values: st.SearchStrategy[str]) -> st.SearchStrategy[frozenset[str]]:
    """One value or more."""
    return st.frozensets(values, min_size=1, max_size=3)


def _terms(field: Field, values: st.SearchStrategy[str]) -> st.SearchStrategy[Term]:
    return st.builds(Term, st.just(field), sets(values), negated=st.booleans())


terms: Final = st.one_of(
    _terms(Field.STATUS, st.sampled_from(Status)),
    _terms(Field.TYPE, st.sampled_from(["echo", "mail", "mail*", "*", "*a*l"])),
    _terms(Field.QUEUE, words),
    _terms(Field.TAG, words),
    _terms(Field.ERROR, words),
    _terms(Field.GROUP, st.sampled_from(ERRORS).map(lambda message: group_of(error(message)).id)),
    st.builds(
        Term,
        st.just(Field.PAYLOAD),
        sets(scalars.map(lambda value: text_of(value) or "")),
        st.lists(members, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
)


def spans(times: st.SearchStrategy[int]) -> st.SearchStrategy[Span]:
    """Any stretch of time, those included in which there is none."""
    return st.builds(Span, st.none() | times, st.none() | times)


def filters(times: st.SearchStrategy[int]) -> st.SearchStrategy[JobFilter]:
    """Conditions as they may be parsed."""
    rarely = st.just(Span()) | spans(times)
    return st.builds(JobFilter, terms=st.frozensets(terms, max_size=3), created=rarely, finished=rarely)
