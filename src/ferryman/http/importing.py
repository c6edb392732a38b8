"""POST /jobs/import: any number of jobs, one a line, from a body of any length.

read lines -> a chunk -> judge -> store -> read on. Nothing is read while a chunk is being stored, so that TCP holds
the client back. The first line that cannot be stored ends it, once those before it are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ferryman.client import Client, JobRequest
from ferryman.client.many import MOST
from ferryman.domain import strictjson
from ferryman.domain.access import Right
from ferryman.domain.errors import FerrymanError, RequestTimeout
from ferryman.http import query
from ferryman.http.bodies import NewJob
from ferryman.http.exchange import Answer, Request
from ferryman.http.heads import ConflictQuery
from ferryman.http.items import read_item, refusals, refuse_idempotency_key
from ferryman.http.lasting import Lasting
from ferryman.http.ndjson import Lines
from ferryman.http.operation import LINES, Operation
from ferryman.http.progress import Progress
from ferryman.http.quotas import Quotas
from ferryman.http.resource import check_json

SILENCE: Final = 75.0
"""Seconds after which a client that sends nothing is given up: as long as an idle connection is kept."""
CHUNK_BYTES: Final = 1024 * 1024
"""A chunk that has so many bytes takes no more lines, be they few: a thousand long ones would be too much to hold."""

_JSON: Final = (b"content-type", b"application/json")


class ImportedJson(msgspec.Struct, frozen=True):
    """How many jobs are stored."""

    imported: int


class Imports:
    """The path; its method gives the answer or raises a FerrymanError, which is told with the import's Progress."""

    def __init__(self, client: Client, max_body: int, lasting: Lasting, quotas: Quotas) -> None:
        self._client = client
        self._max_body = max_body
        self._lasting = lasting
        self._quotas = quotas

    def operations(self) -> tuple[Operation, ...]:
        """The one thing to do."""
        return (
            Operation(
                "POST",
                "/jobs/import",
                Right.ENQUEUE,
                self.create,
                "Enqueue any number of jobs, one a line",
                {200: ImportedJson},
                ConflictQuery,
                body=NewJob,
                takes=LINES,
                by_queue=True,
                problems=(408, 409, 429),
            ),
        )

    async def create(self, request: Request) -> Answer:
        """POST /jobs/import: 200 and how many, once all are durable."""
        progress = Progress(request)
        check_json(request, LINES)
        refuse_idempotency_key(request)
        on_conflict = query.on_conflict(request)
        self._lasting.begin(request)
        lines = Lines(lambda: request.piece(SILENCE), self._max_body)
        await Import(self._client, self._quotas, lines, on_conflict, progress).run()
        return Answer(200, (_JSON,), msgspec.json.encode(ImportedJson(progress.imported)))


class Import:
    """One import under way; it holds one chunk."""

    def __init__(
        self,
        client: Client,
        quotas: Quotas,
        lines: Lines,
        on_conflict: str | None,
        progress: Progress,
    ) -> None:
        self._many = client.many
        self._quotas = quotas
        self._lines = lines
        self._on_conflict = on_conflict
        self._caller = progress.request.caller
        self._progress = progress
        self._ended = False

    async def run(self) -> None:
        """Store every line.

        Raises:
            FerrymanError: one was refused, no line came for long, or the store failed; what came before is stored.
            ClientGone: of what came before, the chunks that were complete are stored.
        """
        while not self._ended:
            chunk, wrong = await self._chunk()
            await self._progress.request.passes()  # a body may take days
            await self._store(chunk)
            number = self._lines.number
            self._progress.next = number + 1
            if wrong is not None:
                if not isinstance(wrong, RequestTimeout):  # which is about none
                    self._progress.stop([number], number + 1)
                raise wrong

    async def _chunk(self) -> tuple[dict[int, JobRequest], FerrymanError | None]:
        """The next jobs by their lines, and what was wrong with the line behind them, or kept it from coming."""
        chunk: dict[int, JobRequest] = {}
        size = 0
        while len(chunk) < MOST and size < CHUNK_BYTES:
            try:
                line = await self._lines.next()
            except FerrymanError as error:
                return chunk, error
            if line is None:
                self._ended = True
                break
            try:
                chunk[self._lines.number] = read_item(strictjson.parse(line), self._on_conflict, self._caller.queues)
            except FerrymanError as error:
                return chunk, _at_line(self._lines.number, error)
            size += len(line)
        return chunk, None

    async def _store(self, chunk: dict[int, JobRequest]) -> None:
        """Store a chunk up to its first wrong line. Raises why the first line that is not stored is not."""
        if not chunk:
            return
        progress = self._progress
        judged = await self._many.judge(chunk)
        wrong = min(judged.refused, default=max(chunk) + 1)
        news = {number: new for number, new in judged.news.items() if number < wrong}

        async def hand_in() -> Mapping[int, str | FerrymanError]:
            progress.unsure = len(news)
            return await self._many.hand_in(chunk, news)

        told = await self._quotas.charge(self._caller, len(news), hand_in, refusals)
        progress.unsure = 0
        refused = {number: each for number, each in told.items() if not isinstance(each, str)}
        progress.imported += len(told) - len(refused)
        if refused:  # what a store refuses ends nothing in it: later lines of the chunk may be stored
            progress.stop(list(refused), wrong)
            raise _at_line(progress.refused[0], refused[progress.refused[0]])
        if wrong in judged.refused:
            progress.stop([wrong], wrong + 1)
            raise _at_line(wrong, judged.refused[wrong])


def _at_line(number: int, error: FerrymanError) -> FerrymanError:
    """The error, saying of which line it speaks."""
    error.what = f"Line {number}: {error.what}"
    error.why = error.why.replace(" at line 1 column ", " at column ")  # to its parser a line is a whole text
    return error
