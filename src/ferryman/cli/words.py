"""What people write on the command line, read strictly: durations, times, words.

Each reader raises click.BadParameter, which says what would be allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import click

from ferryman.domain import options
from ferryman.domain.access import Right
from ferryman.domain.errors import BadOption
from ferryman.domain.state import Status
from ferryman.domain.suggest import did_you_mean
from ferryman.http.wire import read_moment
from ferryman.settings.kinds import read_duration


def duration(text: str) -> float:
    """Seconds, from `10`, `10s`, `200ms`, `5m`, `24h` or `14d`."""
    try:
        return read_duration(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no duration, such as 10, 10s, 200ms, 5m, 24h or 14d.") from None


def rate(text: str) -> float:
    """So many a second, from `100`, `100/s`, `5/m`, `20/h` or `1000/d`."""
    try:
        return options.rate(text)
    except BadOption as error:
        raise click.BadParameter(f"{error.what} {error.why}") from None


def moment(text: str) -> int:
    """A time with its offset, in microseconds since 1970."""
    found = read_moment(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no time with its offset, such as 2030-01-31T12:00:00Z.")
    return found


def one_of(known: Collection[str]) -> Callable[[str], str]:
    """Reads one of a few words."""

    def read(text: str) -> str:
        if text in known:
            return text
        near = did_you_mean(text, known) or f"It is one of: {', '.join(known)}."
        raise click.BadParameter(f"{text!r} is not known here. {near}")

    return read


def status(text: str) -> Status:
    """A status of a job."""
    return Status(one_of([each.value for each in Status])(text))


def scope(text: str) -> Right:
    """What an API key may do."""
    return Right(one_of([each.value for each in Right])(text))
