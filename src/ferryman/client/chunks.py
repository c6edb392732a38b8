"""Cuts any stream into pieces that fit into one commit, and says how far it got."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final, TypeVar

from ferryman.domain.errors import FerrymanError

CHUNK: Final = 1000
"""How many jobs one insert takes."""

T = TypeVar("T")


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order; nothing beyond the present one is held."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


async def achunks(items: Iterable[T] | AsyncIterable[T], size: int = CHUNK) -> AsyncIterator[list[T]]:
    """The same, also of what arrives asynchronously."""
    if not isinstance(items, AsyncIterable):
        for each in chunks(items, size):
            yield each
        return
    chunk: list[T] = []
    async for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class Tally:
    """How many jobs were accepted so far."""

    def __init__(self) -> None:
        self.accepted = 0


@contextmanager
def tally() -> Generator[Tally]:
    """Counts what is accepted; an error that ends the count carries it as a note."""
    found = Tally()
    try:
        yield found
    except FerrymanError as error:
        error.add_note(f"{found.accepted} jobs in the chunks before this one were accepted.")
        raise
