"""The HTTP API as one ASGI application: boundary, paths, resources.

server -> Api (request id, stop, errors) -> Paths -> Resource (method, Guard, Accept) -> operation -> Answer
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ferryman.client import Client
from ferryman.domain.errors import FerrymanError, InternalError, RouteNotFound, ShuttingDown, StoreError
from ferryman.http.about import AboutPaths, Here
from ferryman.http.api_keys import ApiKeyPaths
from ferryman.http.apidoc import ApiDocument
from ferryman.http.audit import AuditPaths
from ferryman.http.batch import Batches
from ferryman.http.bulk import OperationPaths
from ferryman.http.changing import JobChanges
from ferryman.http.counts import CountPaths
from ferryman.http.dashboard import Dashboard
from ferryman.http.error_groups import ErrorPaths
from ferryman.http.events import JobEvents
from ferryman.http.exchange import ANSWERED, REQUEST_ID, ClientGone, Request, local_path, respond
from ferryman.http.guard import Guard
from ferryman.http.importing import Imports
from ferryman.http.jobs import ONE_JOB, Jobs
from ferryman.http.journal import AllEvents
from ferryman.http.keys import Keys
from ferryman.http.lasting import Lasting
from ferryman.http.live import LiveEvents
from ferryman.http.node import NodeRoutes, NodeStats
from ferryman.http.nodes import NodePaths
from ferryman.http.operation import Operation
from ferryman.http.problems import problem
from ferryman.http.progress import PROGRESS
from ferryman.http.queues import QueuePaths
from ferryman.http.quotas import Quotas
from ferryman.http.reports import ReportPaths
from ferryman.http.resource import Resource
from ferryman.http.rules import Rules
from ferryman.http.schedules import SchedulePaths
from ferryman.http.session import SessionPaths
from ferryman.http.stats import StatsPaths
from ferryman.http.types import TypePaths
from ferryman.http.waits import is_stopping
from ferryman.observe.metrics import Metrics

_SAFE_ID: Final = re.compile(rb"[A-Za-z0-9_.:+/=@-]{1,128}")


def make_api(
    client: Client,
    *,
    max_body: int,
    guard: Guard,
    lasting: Lasting,
    quotas: Quotas,
    stats: NodeStats,
    here: Here,
    metrics: Metrics,
    readiness: Callable[[], Awaitable[Mapping[str, str]]],
    dashboard: Dashboard | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    new_request_id: Callable[[], str] = lambda: secrets.token_hex(12),
) -> ASGIApp:
    """Everything under one roof.

    Args:
        client: whose verbs the paths say.
        max_body: bytes that a request may have.
        guard: says who may pass.
        lasting: says how many requests may take their time.
        quotas: say how many jobs callers may enqueue.
        stats: this node's engine, as it is now.
        here: what is known of this process.
        metrics: what this node has counted.
        readiness: names what is not ready yet, and why; empty once everything is.
        dashboard: what is shown to people; there is nothing at / without.
        monotonic: seconds that only grow.
        new_request_id: names a request that came without an X-Request-Id.
    """
    groups = (
        Jobs(client, max_body, lasting, quotas),
        JobChanges(client, max_body),
        JobEvents(client, lasting),
        AllEvents(client, lasting),
        LiveEvents(client, lasting),
        ReportPaths(client),
        Batches(client, max_body, quotas),
        Imports(client, max_body, lasting, quotas),
        CountPaths(client),
        NodePaths(client, max_body),
        QueuePaths(client),
        TypePaths(client),
        Rules(client, max_body),
        SchedulePaths(client, max_body),
        Keys(client, max_body),
        ApiKeyPaths(client, guard, max_body),
        SessionPaths(guard, max_body),
        OperationPaths(client, max_body),
        AuditPaths(client),
        StatsPaths(client),
        ErrorPaths(client),
        AboutPaths(client, here),
        NodeRoutes(client, stats, metrics, readiness, monotonic),
    )
    operations = [each for group in groups for each in group.operations()]
    operations += ApiDocument(operations).operations()
    if dashboard is not None:
        operations += dashboard.operations()
    return Api(Paths(operations, guard), new_request_id)


class Api:
    """The boundary: names every request, refuses while the node stops, and turns every error into a problem."""

    def __init__(self, app: ASGIApp, new_request_id: Callable[[], str]) -> None:
        self._app = app
        self._new_request_id = new_request_id
        self._log = logging.getLogger("ferryman.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; there is nothing here but HTTP."""
        if scope["type"] != "http":
            return
        scope[REQUEST_ID] = self._request_id(scope)
        try:
            if is_stopping(scope):
                raise _shutting_down()
            await self._app(scope, receive, send)
        except ClientGone:
            pass
        except (Exception, asyncio.CancelledError) as error:
            if ANSWERED in scope:
                raise  # half an answer is sent: the server cuts the connection, so that it is not taken for a whole one
            answer = problem(self._known(error, scope), progress=scope.get(PROGRESS))
            await respond(Request(scope, receive), answer, send)

    def _known(self, error: BaseException, scope: Scope) -> FerrymanError:
        """The error to tell the client; what is ours to mend goes into the log."""
        if isinstance(error, StoreError):
            self._log.warning("The store refused a request: %s", error, extra={"code": error.code})
        if isinstance(error, FerrymanError):
            return error
        if isinstance(error, asyncio.CancelledError):
            return _shutting_down()  # only a stop whose patience has ended cancels requests
        name = scope[REQUEST_ID].decode()
        self._log.error("A request failed in a way that nobody foresaw", exc_info=error, extra={"request_id": name})
        return InternalError(
            f"Something in Ferryman broke over request {name}.",
            hint="The log has the traceback under this request id; please report it.",
        )

    def _request_id(self, scope: Scope) -> bytes:
        """The client's own name for the request, if it can safely be echoed and logged."""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
                return bytes(value)
        return self._new_request_id().encode()


class Paths:
    """Finds what stands at a path.

    The busiest paths are found by one look into a dict: the router's walk would be a quarter of what such a request
    costs.
    """

    def __init__(self, operations: Sequence[Operation], guard: Guard) -> None:
        """A path that another one covers has to come first."""
        paths: dict[str, list[Operation]] = {}
        for each in operations:
            paths.setdefault(each.path, []).append(each)
        resources = {path: Resource(found, guard) for path, found in paths.items()}
        self.operations = tuple(operations)
        """Everything that can be done."""
        self._direct = {path: resource for path, resource in resources.items() if "{" not in path}
        self._one_job = resources[ONE_JOB]
        routes = [_Exact(path, resource) for path, resource in resources.items()]
        self._router = Router(routes, redirect_slashes=False, default=_not_found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the resource answer that stands at the path."""
        path = local_path(scope)
        resource = self._direct.get(path)
        if resource is not None:
            await resource(scope, receive, send)
        elif path.startswith("/jobs/") and path.count("/") == 2 and len(path) > len("/jobs/"):
            scope["path_params"] = {"id": path[len("/jobs/") :]}
            await self._one_job(scope, receive, send)
        else:
            await self._router(scope, receive, send)


class _Exact(Route):
    """The route for a path to the letter: a name may have a line end in it, and one behind a path is another path.

    Where two routes cover a path, as the one of a key called `a/pause` and the one that pauses the key `a`, the one
    that takes the method has it.
    """

    def __init__(self, path: str, resource: Resource) -> None:
        super().__init__(path, resource, methods=resource.methods)
        self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + r"\Z", re.DOTALL)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the resource answer also where no route takes the method: it tells which it takes."""
        await self.app(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    raise RouteNotFound(f"There is nothing at {scope['path'][:200]!a}.")


def _shutting_down() -> ShuttingDown:
    return ShuttingDown("This node is stopping.", hint="Send the request again, to another node or in a while.")
