"""Reads a filter as people write it, from left to right; what is wrong is told with its column."""

from __future__ import annotations

import re
from typing import Final, cast

from ferryman.domain import strictjson
from ferryman.domain.error_groups import is_group
from ferryman.domain.errors import BadFilter, EnqueueError, FerrymanError
from ferryman.domain.filters.meaning import Field, JobFilter, Term
from ferryman.domain.filters.times import Span, read_span
from ferryman.domain.filters.values import read_bare, text_of
from ferryman.domain.state import Status
from ferryman.domain.suggest import did_you_mean

MAX_TEXT: Final = 4000
"""Characters that a filter may have."""
MOST_SOUGHT: Final = 50
"""Texts that a filter may look for in errors: each takes a walk over the message of every job."""
_TIMES: Final = ("created", "finished")
_FIELDS: Final = ("status", "type", "queue", "tag", "created", "finished", "payload", "error", "group")
_SPACE: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r'[^\s:,".]*')
_REST_OF_NAME: Final = re.compile(r'[^\s:,"]*')
_PART: Final = re.compile(r'[^\s,".:]+')
_WORD: Final = re.compile(r'[^\s,"]+')
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNFIT: Final = re.compile("[\0\ud800-\udfff]")
_QUOTE: Final = '"'
_MEMBER: Final = "Such as payload.user.id:42."


def parse(text: str, now: int) -> JobFilter:
    """The filter that a text means; docs/filters.md has the grammar. Without a term it means every job.

    Args:
        text: terms such as `status:failed type:mail.*`, all of which must hold.
        now: microseconds, from which ages are counted.

    Raises:
        BadFilter: naming the column from which it cannot be read.
    """
    if len(text) > MAX_TEXT:
        raise _wrong(MAX_TEXT, f"It is longer than {MAX_TEXT} characters.")
    if unfit := _UNFIT.search(text):
        raise _wrong(unfit.start(), "There is NUL or half a surrogate pair.")
    return _Reader(text, now).read()


class _Reader:
    """One text, and how far it has been read."""

    def __init__(self, text: str, now: int) -> None:
        self._text = text
        self._now = now
        self._at = 0
        self._terms: set[Term] = set()
        self._sought = 0
        self._spans = dict.fromkeys(_TIMES, Span())

    def read(self) -> JobFilter:
        """The whole of it."""
        while self._take(_SPACE) is not None and self._at < len(self._text):
            self._read_term()
        return JobFilter(terms=frozenset(self._terms), created=self._spans["created"], finished=self._spans["finished"])

    def _read_term(self) -> None:
        start = self._at
        negated = self._skip("-")
        name = self._field(start)
        path = self._path() if name == Field.PAYLOAD else ()
        if not self._skip(":"):
            raise _wrong(self._at, "A colon is missing after the member.")
        if name not in _TIMES:
            self._terms.add(Term(Field(name), frozenset(self._values(name)), path, negated))
        elif negated:
            raise _wrong(start, f"{name} takes no minus.", hint=f"Turn the comparison round: {name}:<2026-01-31.")
        else:
            self._spans[name] = self._spans[name].within(self._span(name))

    # -- names -----------------------------------------------------------------------------------

    def _field(self, start: int) -> str:
        """The name of a field, with a colon or a path behind it."""
        begin = self._at
        name = self._take(_NAME) or ""
        if name in _FIELDS and (self._sees(":") or (name == Field.PAYLOAD and self._sees("."))):
            if name == Field.PAYLOAD and self._sees(":"):
                raise _wrong(self._at, "It is not said which member of the payload.", hint=_MEMBER)
            return name
        self._at = begin
        name = self._take(_REST_OF_NAME) or ""
        if not name or not self._sees(":"):
            raise _wrong(start, _no_term(self._text[start:]), hint="A term is a field and a value: status:failed.")
        known = f"Fields: {', '.join(_FIELDS)}."
        raise _wrong(begin, f"There is no field {name[:40]!a}.", why=did_you_mean(name, _FIELDS), hint=known)

    def _path(self) -> tuple[str, ...]:
        parts: list[str] = []
        while self._skip("."):
            part = self._quoted() if self._sees(_QUOTE) else self._take(_PART)
            if part is None:
                raise _wrong(self._at, "The name of a member is missing.", hint=_MEMBER)
            parts.append(part)
        return tuple(parts)

    # -- values ----------------------------------------------------------------------------------

    def _values(self, name: str) -> list[str]:
        """One value or more, with commas between."""
        values = [self._value(name)]
        while self._skip(","):
            values.append(self._value(name))
        self._end_of_value()
        return values

    def _value(self, name: str) -> str:
        begin = self._at
        if self._sees(_QUOTE):
            text = self._quoted()
            return cast("str", text_of(text)) if name == Field.PAYLOAD else self._known(name, text, begin)
        word = self._take(_WORD)
        if word is None:
            raise _wrong(begin, f"A value for {name} is missing.")
        return self._json(word, begin) if name == Field.PAYLOAD else self._known(name, word, begin)

    def _known(self, name: str, text: str, begin: int) -> str:
        self._sought += name == Field.ERROR
        if self._sought > MOST_SOUGHT:
            raise _wrong(begin, f"It looks for more than {MOST_SOUGHT} texts in errors.")
        if name == Field.STATUS and text not in set(Status):
            near = did_you_mean(text, Status)
            raise _wrong(begin, f"There is no status {text[:40]!a}.", why=near, hint=f"Statuses: {', '.join(Status)}.")
        if name == Field.GROUP and not is_group(text):
            hint = "It has 16 hexadecimal digits, in small letters; `ferryman errors` lists those that there are."
            raise _wrong(begin, f"{text[:40]!a} is no error group.", hint=hint)
        return text

    def _json(self, word: str, begin: int) -> str:
        try:
            return cast("str", read_bare(word))
        except EnqueueError as error:
            raise _wrong(begin, error.what, hint=error.hint) from None

    def _quoted(self) -> str:
        begin = self._at
        quoted = self._take(_QUOTED)
        if quoted is None:
            raise _wrong(begin, "The quote is not closed.")
        try:
            return cast("str", strictjson.parse(quoted.encode()))
        except FerrymanError as error:
            raise _wrong(begin, "What is in quotes is no text of JSON.", why=error.why or error.what) from None

    def _span(self, name: str) -> Span:
        begin = self._at
        word = self._take(_WORD)
        if word is None:
            raise _wrong(begin, f"A time for {name} is missing.", hint=f"Such as {name}:>=2026-01-31 or {name}:<1h.")
        if self._sees(","):
            raise _wrong(self._at, f"{name} takes one time or range.")
        self._end_of_value()
        try:
            return read_span(word, self._now)
        except ValueError as error:
            raise _wrong(begin, str(error)) from None

    def _end_of_value(self) -> None:
        if self._at < len(self._text) and not self._text[self._at].isspace():
            hint = 'Put the whole value into quotes, with \\" for a quote in it.'
            raise _wrong(self._at, "A value goes on behind its quotes, or has one in it.", hint=hint)

    # -- characters ------------------------------------------------------------------------------

    def _sees(self, character: str) -> bool:
        return self._text.startswith(character, self._at)

    def _skip(self, character: str) -> bool:
        seen = self._sees(character)
        self._at += seen
        return seen

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match[0]


def _no_term(rest: str) -> str:
    word = rest.split(maxsplit=1)[0]
    return f"{word[:40]!a} is no term."


def _wrong(at: int, what: str, why: str = "", hint: str = "") -> BadFilter:
    return BadFilter(f"The filter cannot be read at column {at + 1}. {what}", column=at + 1, why=why, hint=hint)
