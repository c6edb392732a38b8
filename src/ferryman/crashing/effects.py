"""What has happened: effects as a user counts them, before a job and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeGuard

import msgspec

from ferryman.domain import options
from ferryman.domain.errors import BadOption

Effect = Callable[[Path], object]
"""Says of a trial's database what has happened: a number, or the lines of a ledger in any order."""
Lines = tuple[Hashable, ...]
Value = int | Lines

JOBS: Final = "jobs"
"""The effect that is always there: the jobs beside the tested one."""
_ALLOWED: Final = "an int, or an iterable of hashable values such as tuples"


class Harm(StrEnum):
    """What became of an effect, next to what an undisturbed run does."""

    DOUBLED = "doubled"
    LOST = "lost"
    CHANGED = "changed"
    """Neither of the two: something else happened."""


class Difference(msgspec.Struct, frozen=True):
    """How an effect is not what it should be."""

    harm: Harm
    detail: str


def check(effects: Mapping[str, Effect]) -> None:
    """Refuse what cannot be asked. Raises BadOption."""
    for name, effect in effects.items():
        if name == JOBS:
            raise BadOption(f"effects has one named {JOBS}.", why="It is there already.", hint="Name it otherwise.")
        if not callable(effect):
            raise options.refused(f"effects[{name!r}]", effect, "a function that is given the path of the database")


def read(effects: Mapping[str, Effect], database: Path, when: str) -> dict[str, Value]:
    """Ask every effect. Raises BadOption, and what an effect raises; `when` is for the note on it."""
    values: dict[str, Value] = {}
    for name, effect in effects.items():
        try:
            value = effect(database)
        except Exception as error:
            error.add_note(f"crash_test asked for the effect {name!r} {when}.")
            raise
        values[name] = value_of(name, value)
    return values


def value_of(name: str, value: object) -> Value:
    """A value that can be compared; lines are sorted, as their order counts for nothing. Raises BadOption."""
    if isinstance(value, int):
        return int(value)
    if not _is_lines(value):
        raise options.refused(f"what the effect {name!r} returns", value, _ALLOWED)
    lines = tuple(value)
    try:
        set(lines)
    except TypeError:  # a line that cannot be hashed cannot be counted
        raise options.refused(f"what the effect {name!r} returns", list(lines), _ALLOWED) from None
    return tuple(sorted(lines, key=repr))


def _is_lines(value: object) -> TypeGuard[Iterable[Hashable]]:
    """Whether a value is a collection; not one of letters, which nobody means, nor of keys alone."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def compare(before: Value, expected: Value, got: Value) -> Difference | None:
    """How an effect differs from that of an undisturbed run; None if it does not."""
    if isinstance(expected, int) and isinstance(got, int):
        return _compare_numbers(before if isinstance(before, int) else 0, expected, got)
    return _compare_lines(_counted(expected), _counted(got))


def _compare_numbers(before: int, expected: int, got: int) -> Difference | None:
    if got == expected:
        return None
    wanted, came = expected - before, got - before
    detail = f"{got} instead of {expected}"
    if wanted == 0 or wanted * came < 0:
        return Difference(Harm.CHANGED, detail)
    return Difference(Harm.DOUBLED if abs(came) > abs(wanted) else Harm.LOST, detail)


def _compare_lines(expected: Counter[Hashable], got: Counter[Hashable]) -> Difference | None:
    more, fewer = got - expected, expected - got
    if not more and not fewer:
        return None
    if fewer and not more:
        harm = Harm.LOST
    else:
        harm = Harm.CHANGED if fewer or any(line not in expected for line in more) else Harm.DOUBLED
    line, *others = [*more, *fewer]
    rest = f", and {len(others)} more" if others else ""
    return Difference(harm, f"{line!r}: {got[line]} instead of {expected[line]}{rest}")


def _counted(value: Value) -> Counter[Hashable]:
    return Counter((value,) if isinstance(value, int) else value)
