"""How the larger parts of a node's incarnation are made of its world and its options; nothing runs yet."""

from __future__ import annotations

from collections.abc import Callable

from ferryman.domain.job import ClaimedJob
from ferryman.engine.channel import Channel
from ferryman.engine.completer import Completer
from ferryman.engine.desk import Desk
from ferryman.engine.dispatcher import Dispatcher
from ferryman.engine.executor import Executor
from ferryman.engine.heartbeat import Heartbeat, Lease
from ferryman.engine.manydesk import ManyDesk
from ferryman.engine.pool import Pool
from ferryman.engine.processes import Processes
from ferryman.engine.running import Ladder, Listener
from ferryman.engine.shares import Shares
from ferryman.engine.transaction import AnyDesk
from ferryman.engine.turns import Turns
from ferryman.engine.world import NodeOptions, World


def make_desk(world: World, options: NodeOptions, node: int) -> AnyDesk | None:
    """Where handlers get their transactions, if the store has any."""
    if world.many_transactions is not None:
        return ManyDesk(world.many_transactions, node, world.clock, world.ids.number)
    if world.transactions is None:
        return None
    timeout = options.transaction_timeout
    return Desk(world.transactions, node, world.clock, world.ids.number, timeout=timeout, steps=world.steps)


def make_executor(
    world: World, options: NodeOptions, ladder: Ladder, lease: Lease, desk: AnyDesk | None, listener: Listener
) -> Executor:
    """What runs the jobs."""
    return Executor(
        world.registry,
        world.clock,
        ladder,
        lease,
        world.events,
        encode=world.encode,
        share=world.share,
        default_timeout=options.default_timeout,
        max_result=options.max_result,
        admit=world.admit,
        desk=desk,
        listener=listener,
    )


def make_pool(
    world: World,
    options: NodeOptions,
    node: str,
    channel: Channel[ClaimedJob],
    executor: Executor,
    completer: Completer,
    ladder: Ladder,
) -> Pool:
    """The workers, and the processes of those that need one."""
    processes = Processes(
        world.settings,
        world.oom_kills,
        world.registry.hooks,
        max_result=options.max_result,
        max_jobs=options.process_max_jobs,
        max_rss=options.process_max_rss,
    )
    return Pool(
        node,
        options.workers,
        channel,
        executor,
        completer,
        ladder,
        world.events,
        world.clock,
        world.ids.number,
        processes=processes,
        last_grace=options.last_grace,
    )


def make_dispatcher(
    world: World,
    options: NodeOptions,
    node: int,
    channel: Channel[ClaimedJob],
    completer: Completer,
    lease: Lease,
    *,
    on_lost: Callable[[], None],
    on_due: Callable[[float], None],
) -> Dispatcher:
    """What claims."""
    return Dispatcher(
        world.store,
        node,
        channel,
        completer,
        world.clock,
        world.ids,
        lease,
        types=world.registry.types,
        shares=Shares(options.queues),
        workers=options.workers,
        turns=Turns(options.priority_factor),
        on_lost=on_lost,
        on_due=on_due,
    )


def make_heartbeat(
    world: World,
    options: NodeOptions,
    node: int,
    lease: Lease,
    alive: Callable[[], bool],
    on_lost: Callable[[], None],
) -> Heartbeat:
    """What beats, and moves the lease on."""
    return Heartbeat(
        world.store,
        node,
        world.clock,
        lease,
        on_lost,
        beat=options.beat,
        seconds=options.lease,
        alive=alive,
        ticker=world.ticker,
    )
