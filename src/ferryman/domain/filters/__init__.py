"""Which jobs are meant: conditions that a job must meet, and the one text in which people write them.

docs/filters.md has the grammar. A filter that was parsed is rendered as a text that is parsed as the same filter.
"""

from __future__ import annotations

from ferryman.domain.filters.meaning import SCAN, Field, JobFilter, Term
from ferryman.domain.filters.reading import MAX_TEXT, parse
from ferryman.domain.filters.times import Span
from ferryman.domain.filters.writing import render

__all__ = ["MAX_TEXT", "SCAN", "Field", "JobFilter", "Span", "Term", "parse", "render"]
