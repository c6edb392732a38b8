"""The paths below /operations: a thin skin over the client's verbs."""

from __future__ import annotations

from typing import Final

from ferryman.client import Client
from ferryman.domain.access import Caller, Right
from ferryman.domain.errors import OperationNotFound
from ferryman.http import bulk_wire, etags, query
from ferryman.http.actor import actor_of
from ferryman.http.bodies import NewOperation
from ferryman.http.bulk_wire import DryRunJson, OperationJson
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.heads import OperationHeaders, OperationsQuery
from ferryman.http.narrowing import check_queue, narrowed
from ferryman.http.operation import Operation
from ferryman.http.resource import check_bare, json_body
from ferryman.store.bulk import BulkOperation

_JSON: Final = (b"content-type", b"application/json")


class OperationPaths:
    """One method per route; each gives the answer or raises a FerrymanError.

    A caller who is limited to queues starts operations on jobs in these, and sees those that are so limited.
    """

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done below /operations."""
        many, one = "/operations", "/operations/{id}"
        return (
            Operation(
                "GET",
                many,
                Right.READ,
                self.list,
                "List the operations",
                {200: list[OperationJson]},
                OperationsQuery,
                by_queue=True,
            ),
            Operation(
                "POST",
                many,
                Right.OPERATE,
                self.start,
                "Do something to every job that a filter means",
                {200: DryRunJson, 202: OperationJson},
                body=NewOperation,
                by_queue=True,
            ),
            Operation(
                "GET",
                one,
                Right.READ,
                self.show,
                "Show an operation",
                {200: OperationJson, 304: None},
                headers=OperationHeaders,
                by_queue=True,
                problems=(404,),
            ),
            Operation(
                "POST",
                f"{one}/cancel",
                Right.OPERATE,
                self.cancel,
                "Stop an operation",
                {200: OperationJson},
                by_queue=True,
                problems=(404, 409),
            ),
        )

    async def start(self, request: Request) -> Answer:
        """POST /operations: 202 and the operation, which nodes carry out; 200 and a count where it is a dry run."""
        asked = bulk_wire.read_operation(await json_body(request, self._max_body), self._client.read_filter)
        caller, operations = request.caller, self._client.operations
        narrowed(caller, asked.means)
        if asked.change.get("queue") is not None:
            check_queue(caller, asked.change["queue"])
        if asked.dry_run:
            told = await operations.count(asked.action, asked.filter, within=caller.queues)
            return Answer(200, (_JSON,), bulk_wire.dry_run_json(told))
        started = await operations.start(
            asked.action, asked.filter, **asked.change, rate=asked.rate, within=caller.queues, by=actor_of(request)
        )
        location = (b"location", f"{request.prefix}/operations/{started.id}".encode())
        return _answer(started, 202, (_JSON, location))

    async def list(self, request: Request) -> Answer:
        """GET /operations: a page, the newest first, and where the next one is if there is one."""
        after, limit, found = query.operation_page(request)
        one_more = await self._client.operations.list(after, limit + 1)
        page = one_more[:limit]
        link: Headers = ()
        if len(one_more) > limit:
            link = ((b"link", query.next_page(f"{request.prefix}/operations", found, page[-1].id)),)
        shown = [each for each in page if _is_for(request.caller, each)]
        return Answer(200, (_JSON, *link), bulk_wire.operations_json(shown))

    async def show(self, request: Request) -> Answer:
        """GET /operations/{id}: how far it is."""
        query.parameters(request)
        kept = await self._get(request)
        if etags.is_named(request, _tag(kept)):
            return Answer(304, (etags.header(_tag(kept)),))
        return _answer(kept)

    async def cancel(self, request: Request) -> Answer:
        """POST /operations/{id}/cancel: 200, it changes nothing more."""
        await check_bare(request, self._max_body)
        kept = await self._get(request)
        return _answer(await self._client.operations.cancel(kept.id, by=actor_of(request)))

    async def _get(self, request: Request) -> BulkOperation:
        """The operation in the path. Raises OperationNotFound: there is none, or the caller may not know of it."""
        kept = await self._client.operations.get(request.scope["path_params"]["id"])
        if not _is_for(request.caller, kept):
            raise OperationNotFound(f"There is no operation {kept.id}.")
        return kept


def _is_for(caller: Caller, kept: BulkOperation) -> bool:
    """Whether a caller may know of an operation: all of its queues are theirs."""
    return caller.queues is None or (kept.wish.queues is not None and caller.queues.issuperset(kept.wish.queues))


def _tag(kept: BulkOperation) -> str:
    return f"{kept.step}-{kept.status.value}"


def _answer(kept: BulkOperation, status: int = 200, headers: Headers = (_JSON,)) -> Answer:
    return Answer(status, (*headers, etags.header(_tag(kept))), bulk_wire.operation_json(kept))
