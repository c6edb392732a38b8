"""Enqueues a job per line of a file, a thousand to a commit, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import IO, Final

import msgspec

from ferryman.cli.arguments import payload_of_json, within
from ferryman.cli.table import jobs
from ferryman.client import Client, JobRequest
from ferryman.client.chunks import chunks
from ferryman.domain.errors import FerrymanError, StoreError
from ferryman.engine.registry import Handler

Numbered = tuple[int, JobRequest]
"""A line's number, from 1, and what it asks for."""
_LINE_END: Final = b"\r\n"


class Lines:
    """The requests of a file, and how many of them were accepted."""

    def __init__(self, stream: IO[bytes], template: JobRequest, handler: Handler | None, longest: int) -> None:
        """Each line is the payload of a job that is otherwise as `template`; blank lines are passed over.

        Args:
            stream: what is read, line by line.
            template: a request with the options that all jobs share.
            handler: checks each payload, if the type is declared here.
            longest: how many bytes a line may have.
        """
        self._stream = stream
        self._template = template
        self._handler = handler
        self._longest = longest
        self._wrong: tuple[int, FerrymanError] | None = None
        self.accepted = 0

    async def enqueue(self, client: Client, progress: Callable[[int], None]) -> int:
        """Hand every job in; returns how many. What precedes a wrong line is accepted.

        Raises:
            EnqueueError, StoreError: with a note that names the line and how many jobs were accepted.
        """
        for chunk in chunks(self._requests()):
            if self.accepted == 0:  # alone, so that an option or a type that is wrong is found before the bulk
                await self._hand_in(client, chunk[:1])
                del chunk[0]
            await self._hand_in(client, chunk)
            progress(self.accepted)
        if self._wrong is not None:
            raise self._noted(*self._wrong)
        return self.accepted

    def _requests(self) -> Iterator[Numbered]:
        """What the lines ask for, up to the first that is wrong; that one's error is kept for later."""
        number = 0
        while line := self._stream.readline(self._longest + len(_LINE_END)):
            number += 1
            if not line.strip():
                continue
            try:
                yield number, self._request(line)
            except FerrymanError as error:
                self._wrong = number, error
                return

    def _request(self, line: bytes) -> JobRequest:
        payload = payload_of_json(within(line.rstrip(_LINE_END), self._longest))
        if self._handler is not None:
            self._handler.check(payload)
        return msgspec.structs.replace(self._template, payload=payload, checked=self._handler is not None)

    async def _hand_in(self, client: Client, chunk: list[Numbered]) -> None:
        """Enqueue jobs together: those that are submitted at the same time share a commit."""
        answers = await asyncio.gather(*(client.enqueue(each) for _, each in chunk), return_exceptions=True)
        numbers = (number for number, _ in chunk)
        wrong = [(number, each) for number, each in zip(numbers, answers, strict=True) if isinstance(each, Exception)]
        self.accepted += len(chunk) - len(wrong)
        if wrong:
            raise self._noted(*wrong[0])

    def _noted(self, number: int, error: Exception) -> Exception:
        """The error of a line, with what a person needs in order to go on."""
        least = "at least " if isinstance(error, StoreError) else ""
        error.add_note(f"Line {number}; accepted: {least}{jobs(self.accepted)}.")
        return error
