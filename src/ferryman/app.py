"""`Ferryman`: what a user holds. It declares jobs, and enqueues them."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, Unpack, overload

from ferryman import at_first_use
from ferryman.bridge import Bridge
from ferryman.calls import Call, Declared
from ferryman.client import JobRequest
from ferryman.client.chunks import achunks, chunks, tally
from ferryman.crons import CronDecorator
from ferryman.declare import CronOptions, JobOptions, make_handler
from ferryman.domain import options
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.hooks import F, Hooks, L, M
from ferryman.engine.registry import Registry
from ferryman.engine.signature import result_decoder
from ferryman.follow_ups import FollowUps

if TYPE_CHECKING:
    from ferryman.client import Client
    from ferryman.settings import Settings
    from ferryman.store.forks import AroundForks
    from ferryman.testing.kit import Testing

P = ParamSpec("P")
R = TypeVar("R")
Coro = Coroutine[Any, Any, R]


class Ferryman:
    """An app: its jobs, and the way to the store where they live.

    Nothing is read or opened before the first enqueue. Two apps in one process know nothing of each other.
    """

    def __init__(self, database_url: str | None = None, **settings: object) -> None:
        """Make an app.

        Args:
            database_url: where jobs live, such as "sqlite:///jobs.db", or the server that has them, such as
                "http://queue.internal:8080"; None leaves it to the settings.
            settings: any other setting by its name in lower case, such as max_pending=1000. What is given
                here goes before the environment and the settings file.
        """
        given = {"database_url": database_url, **settings}
        self.overrides: Mapping[str, object] = {name: value for name, value in given.items() if value is not None}
        self.registry = Registry()
        self.registry.admit = FollowUps(self.overrides, self.registry).admit
        self.hooks: Hooks = self.registry.hooks
        self._bridge = Bridge(partial(_connect, self.overrides, self.registry))

    # -- declaring -------------------------------------------------------------------------------

    @overload
    def job(self, function: Callable[P, Coro[R]], /) -> Declared[P, R, P, Coro[R]]: ...
    @overload
    def job(self, function: Callable[P, R], /) -> Declared[P, R, P, R]: ...
    @overload
    def job(self, /, **declared: Unpack[JobOptions]) -> JobDecorator: ...
    def job(self, function: Callable[..., Any] | None = None, /, **declared: Unpack[JobOptions]) -> Any:
        """Declare a function, `def` or `async def`, as a job: `@app.job` or `@app.job(queue="mail", ...)`.

        The options are those of `JobOptions`. The function stays what it was: calling it runs it.

        Raises:
            BadHandler: the function cannot be a handler.
            BadOption: an option is not allowed.
            DuplicateType: the app has a job of this name.
        """
        decorator = JobDecorator(self.registry, self._bridge, declared)
        return decorator if function is None else decorator(function)

    @overload
    def job_with_context(
        self, function: Callable[Concatenate[Context, P], Coro[R]], /
    ) -> Declared[P, R, Concatenate[Context, P], Coro[R]]: ...
    @overload
    def job_with_context(
        self, function: Callable[Concatenate[Context, P], R], /
    ) -> Declared[P, R, Concatenate[Context, P], R]: ...
    @overload
    def job_with_context(self, /, **declared: Unpack[JobOptions]) -> ContextJobDecorator: ...
    def job_with_context(self, function: Callable[..., Any] | None = None, /, **declared: Unpack[JobOptions]) -> Any:
        """As `job`, for a function whose first parameter takes the run's `Context`; who enqueues does not give it."""
        decorator = ContextJobDecorator(self.registry, self._bridge, declared)
        return decorator if function is None else decorator(function)

    def cron(self, expression: str, /, **asked: Unpack[CronOptions]) -> CronDecorator:
        """Have a job enqueued by the clock: `@app.cron("30 2 * * MON-FRI", tz="Europe/Berlin")`, above `@app.job`.

        Directly above a function it declares the job, too, as `@app.job` does without options. The options are those
        of `CronOptions`. A node puts the schedule into the store when it starts. It stays there until it is dropped.

        Raises (when it meets its function):
            BadSchedule: the expression is none, or the time zone.
            BadOption: an option is not allowed, or the app has a schedule of this name.
            MissingArgument, UnknownArgument, WrongArgumentType: the payload does not fit; the error names the argument.
        """
        return CronDecorator(self.registry, self.job, expression, asked)

    # -- hooks -----------------------------------------------------------------------------------

    def on_startup(self, function: L, /) -> L:
        """Have a function without parameters, `def` or `async def`, called in each process that runs handlers.

        It runs on the event loop before anything is claimed, the first one declared first. If it raises, the
        process ends with StartupFailed, after the shutdown hooks if another startup hook had ended well before.
        In a worker process it runs before the first run, which fails with ProcessNotStarted if it raises.

        Raises:
            BadHandler: the function cannot be such a hook.
        """
        return self.hooks.on_startup(function)

    def on_shutdown(self, function: L, /) -> L:
        """As `on_startup`, after the last outcome was written, the last one declared first.

        What it raises is logged. An `async def` is cancelled after 5 seconds. A worker process has 5 seconds for all
        of them, and calls none when it is made to end. Raises: as `on_startup`.
        """
        return self.hooks.on_shutdown(function)

    def middleware(self, function: M, /) -> M:
        """Put `async def middleware(ctx, call_next)` around every run; the first one declared is the outermost.

        `await call_next()` runs the handler and gives its result. What the middleware returns or raises counts as
        the handler's. Without that call the handler does not run; it can be called once. The runs of a worker
        process are wrapped there.

        Raises:
            BadHandler: the function is no `async def` with these two parameters.
        """
        return self.hooks.add_middleware(function)

    def on_failure(self, function: F, /) -> F:
        """Have `hook(ctx, error)`, `def` or `async def`, called for each failed attempt before its outcome is written.

        `ctx.final` says whether another attempt follows. A `def` runs in a thread. Each hook has 5 seconds; what it
        raises is logged and changes nothing. A node that dies, or whose stop deadline has passed, calls none.

        Raises:
            BadHandler: the function cannot be such a hook.
        """
        return self.hooks.on_failure(function)

    # -- enqueueing ------------------------------------------------------------------------------

    def enqueue_many(self, calls: Iterable[Call[Any]], *, tx: Any = None) -> int:
        """Hand in any number of calls, a thousand to a commit, and block until all are durable.

        Takes any iterable and never holds more than a thousand of its calls. The first refusal ends it: what
        was stored by then stays, and a note on the error says how many that were. See `Client.enqueue_many`.
        With `tx`, a transaction of your own, they are a part of that; see `Call.enqueue`.

        Returns:
            How many jobs were accepted. For handles, await several `aenqueue` together instead.

        Raises: as `Call.enqueue`.
        """
        if tx is None:
            at_first_use.refuse_inside_loop("app.aenqueue_many(...)")
        with tally() as found:
            for chunk in chunks(calls):
                requests = [_request(call) for call in chunk]
                if tx is None:
                    found.accepted += self._bridge.call(_enqueue_chunk(requests), "app.aenqueue_many(...)")
                else:
                    found.accepted += len(self._bridge.enqueue_in(tx, requests))
        return found.accepted

    async def aenqueue_many(self, calls: Iterable[Call[Any]] | AsyncIterable[Call[Any]], *, tx: Any = None) -> int:
        """As `enqueue_many`, without blocking; takes asynchronous iterables too. With `tx`, see `Call.aenqueue`."""
        with tally() as found:
            async for chunk in achunks(calls):
                requests = [_request(call) for call in chunk]
                if tx is None:
                    found.accepted += await self._bridge.acall(_enqueue_chunk(requests))
                else:
                    found.accepted += len(await self._bridge.aenqueue_in(tx, requests))
        return found.accepted

    # -- testing ---------------------------------------------------------------------------------

    def testing(self, *, inline: bool = False, raise_errors: bool = True, start: datetime | None = None) -> Testing:
        """For tests: `with app.testing() as queue` (see `TestQueue`), in coroutines `async with` (`AsyncTestQueue`).

        Within the block every enqueue of this app, from any thread and any loop, goes into a memory of its own, and
        the block's clock moves only when the test says so. No database is opened; other settings hold.

        Args:
            inline: run each job in the call that enqueues it; scheduled ones when the clock gets there.
            raise_errors: whether what a handler raises is raised in the test, too; else its attempt just fails.
            start: what the clock shows at first, a datetime with its zone; None is the present time.

        Raises:
            BadOption: `start` has no time zone, lies before 1970 or more than ten years ahead.
            AlreadyTesting: on entry, such a block is open for this app.
            SettingsError: on entry, a setting is wrong.
        """
        # only tests need the kit: every other program would wait for its import
        kit = importlib.import_module("ferryman.testing.kit")
        testing: Testing = kit.Testing(
            self.registry,
            self._bridge.divert,
            partial(at_first_use.limits, self.overrides, kit.Limits),
            inline=inline,
            raise_errors=raise_errors,
            start=start,
        )
        return testing

    def wake(self) -> None:
        """Tell the nodes that there may be work, after a commit of your own that brought jobs in (`tx=`).

        Without it they find out by themselves, within half a second.

        Raises:
            SyncInsideLoop: an event loop runs here; await `awake`.
            StoreError: the store cannot be opened.
        """
        self._bridge.call(lambda client: client.wake(), "app.awake()")

    async def awake(self) -> None:
        """As `wake`, without blocking."""
        await self._bridge.acall(lambda client: client.wake())

    # -- life ------------------------------------------------------------------------------------

    def configure(self, settings: Settings | None) -> None:
        """Connect as these settings say from now on, and not as this process would read them; None ends that.

        Children that a handler forks have no node to enqueue through, and know nothing of its flags.
        """
        if settings is None:
            self._bridge.connect_by(partial(_connect, self.overrides, self.registry))
        else:
            self._bridge.connect_by(partial(at_first_use.client_of, settings, self.registry, SystemClock()))

    def attach(self, client: Client | None) -> None:
        """Use a node's client from now on, on the running loop; None ends that. `serve` does this."""
        self._bridge.attach(client)

    def close(self) -> None:
        """Close the store and end the thread that the first call started; a later call starts anew. Idempotent."""
        self._bridge.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Decorator:
    """What a declaration needs to know."""

    def __init__(self, registry: Registry, bridge: Bridge, declared: JobOptions) -> None:
        self._registry = registry
        self._bridge = bridge
        self._declared = declared

    def _declare(self, function: Callable[..., Any], *, wants_context: bool) -> Declared[..., Any, ..., Any]:
        handler = make_handler(function, wants_context, **self._declared)
        self._registry.add(handler)
        return Declared(handler, self._bridge, result_decoder(function), self._registry)


class JobDecorator(_Decorator):
    """`@app.job(...)`, waiting for its function."""

    @overload
    def __call__(self, function: Callable[P, Coro[R]], /) -> Declared[P, R, P, Coro[R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Declared[P, R, P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the function."""
        return self._declare(function, wants_context=False)


class ContextJobDecorator(_Decorator):
    """`@app.job_with_context(...)`, waiting for its function."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Context, P], Coro[R]], /
    ) -> Declared[P, R, Concatenate[Context, P], Coro[R]]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[Context, P], R], /
    ) -> Declared[P, R, Concatenate[Context, P], R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Declare the function."""
        return self._declare(function, wants_context=True)


def _connect(overrides: Mapping[str, object], registry: Registry, around_forks: AroundForks) -> Client:
    return at_first_use.connect(overrides, registry, around_forks)


def _request(call: object) -> JobRequest:
    if isinstance(call, Call):
        return call.request
    raise options.refused("a call", call, "what job.call(...) gives")


def _enqueue_chunk(requests: list[JobRequest]) -> Callable[[Client], Coro[int]]:
    return lambda client: client.enqueue_chunk(requests)
