"""What operators may do, each with what has to be there before: for all that is asked of every one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.domain.access import ApiKey, Right
from ferryman.domain.audit import Action, Deed
from ferryman.domain.bulk import BulkAction
from ferryman.domain.cron import Cron
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.outcome import What
from ferryman.domain.schedule import Order, Schedule
from ferryman.domain.state import Status
from ferryman.store.bulk import BulkOperation, Wish
from ferryman.store.controlling import Placement
from ferryman.testing.conformance.bench import Bench

Say = Callable[[Deed | None], Awaitable[Any]]
"""Says a verb, with a deed or without."""
NIGHTLY: Final = Schedule(name="nightly", cron=Cron("0 3 * * *"), order=Order(type="echo", payload="{}"))
STRICT: Final = GateRule(strict=True)


def deed_of(bench: Bench, action: str = "job.cancel", target: str = "x", **detail: Any) -> Deed:
    """A deed of now."""
    return Deed(bench.now, "cli:anna@host", action, target, detail)


async def _cancel(bench: Bench) -> Say:
    id = await bench.add()
    return lambda deed: bench.store.cancel(id, bench.now, deed=deed)


async def _cancel_of_one_that_runs(bench: Bench) -> Say:
    job = await bench.start()
    return lambda deed: bench.store.cancel(job.id, bench.now, deed=deed)


async def _retry(bench: Bench) -> Say:
    id = await bench.bring(Status.FAILED)
    return lambda deed: bench.store.retry(id, bench.now, deed=deed)


async def _retry_before_a_gate(bench: Bench) -> Say:
    id = await bench.bring(Status.FAILED, key="k", gate=GateRule(concurrency=1))
    await bench.add(key="k", gate=GateRule(concurrency=1))
    return lambda deed: bench.store.retry(id, bench.now, deed=deed)


async def _place(bench: Bench) -> Say:
    id = await bench.add()
    return lambda deed: bench.store.place([id], Placement(queue="slow"), bench.now, deed=deed)


async def _purge(bench: Bench) -> Say:
    id = await bench.add()
    return lambda deed: bench.store.cancel_waiting([id], bench.now, deed=deed)


async def _pause(bench: Bench) -> Say:
    return lambda deed: bench.store.pause(Scope.QUEUE, "mail", True, deed=deed)


async def _resume(bench: Bench) -> Say:
    await bench.store.pause(Scope.QUEUE, "mail", True)
    return lambda deed: bench.store.pause(Scope.QUEUE, "mail", False, deed=deed)


async def _limit(bench: Bench) -> Say:
    return lambda deed: bench.store.limit(Scope.TYPE, "echo", Limit(concurrency=2), deed=deed)


async def _set_key(bench: Bench) -> Say:
    return lambda deed: bench.store.set_key("k", GateRule(rate=2.0), bench.now, deed=deed)


async def _unset_key(bench: Bench) -> Say:
    await bench.store.set_key("k", GateRule(rate=2.0), bench.now)
    return lambda deed: bench.store.set_key("k", None, bench.now, deed=deed)


async def _pause_key(bench: Bench) -> Say:
    return lambda deed: bench.store.pause_key("k", True, bench.now, deed=deed)


async def _pass_key(bench: Bench) -> Say:
    await bench.finish(await bench.start(key="k", gate=STRICT), What.FAILED, retryable=False)
    await bench.add(key="k", gate=STRICT)
    return lambda deed: bench.store.pass_key("k", bench.now, deed=deed)


async def _put_schedule(bench: Bench) -> Say:
    return lambda deed: bench.store.put_schedule(NIGHTLY, bench.now, deed=deed)


async def _delete(bench: Bench) -> Say:
    id = await bench.bring(Status.FAILED)
    return lambda deed: bench.store.delete(id, bench.now, deed=deed)


async def _change_schedule(bench: Bench) -> Say:
    other = Schedule(name="nightly", cron=Cron("0 4 * * *"), order=NIGHTLY.order)
    await bench.store.put_schedule(other, bench.now)
    return lambda deed: bench.store.put_schedule(NIGHTLY, bench.now, deed=deed)


async def _pause_schedule(bench: Bench) -> Say:
    await bench.store.put_schedule(NIGHTLY, bench.now)
    return lambda deed: bench.store.pause_schedule("nightly", True, bench.now, deed=deed)


async def _drop_schedule(bench: Bench) -> Say:
    await bench.store.put_schedule(NIGHTLY, bench.now)
    return lambda deed: bench.store.drop_schedule("nightly", deed=deed)


async def _run_schedule(bench: Bench) -> Say:
    job = bench.job()
    return lambda deed: bench.store.insert([job], bench.now, deed=deed)


async def _run_schedule_with_a_key(bench: Bench) -> Say:
    job = bench.job(unique_key="u", key="k", gate=STRICT)
    return lambda deed: bench.store.insert([job], bench.now, deed=deed)


API_KEY: Final = ApiKey(id="1" * 16, name="web", digest="d", rights=(Right.READ,), created_at=0)


async def _add_api_key(bench: Bench) -> Say:
    return lambda deed: bench.store.add_api_key(API_KEY, bench.now, deed=deed)


async def _rotate_api_key(bench: Bench) -> Say:
    await bench.store.add_api_key(API_KEY, bench.now)
    other = msgspec.structs.replace(API_KEY, id="2" * 16)
    return lambda deed: bench.store.add_api_key(other, bench.now, until=bench.now + 1, deed=deed)


async def _end_api_key(bench: Bench) -> Say:
    await bench.store.add_api_key(API_KEY, bench.now)
    return lambda deed: bench.store.end_api_keys([API_KEY.id], bench.now, deed=deed)


async def _drop_api_key(bench: Bench) -> Say:
    await bench.store.add_api_key(API_KEY, bench.now)
    return lambda deed: bench.store.drop_api_keys([API_KEY.id], deed=deed)


async def _start_operation(bench: Bench) -> Say:
    operation = _operation(bench)
    return lambda deed: bench.store.add_operation(operation, deed=deed)


async def _cancel_operation(bench: Bench) -> Say:
    operation = _operation(bench)
    await bench.store.add_operation(operation)
    return lambda deed: bench.store.cancel_operation(operation.id, bench.now, deed=deed)


def _operation(bench: Bench) -> BulkOperation:
    wish = Wish(action=BulkAction.CANCEL, filter="type:echo", by="cli:anna@host", created_at=bench.now)
    return BulkOperation(id=bench.ids.mint(bench.now), wish=wish)


DEEDS: Final[Mapping[str, tuple[Action, Callable[[Bench], Awaitable[Say]]]]] = MappingProxyType(
    {
        "cancel": (Action.JOB_CANCEL, _cancel),
        "cancel of one that runs": (Action.JOB_CANCEL, _cancel_of_one_that_runs),
        "retry": (Action.JOB_RETRY, _retry),
        "retry before a gate": (Action.JOB_RETRY, _retry_before_a_gate),
        "place": (Action.JOB_PLACE, _place),
        "purge": (Action.JOB_PURGE, _purge),
        "delete": (Action.JOB_DELETE, _delete),
        "pause": (Action.QUEUE_PAUSE, _pause),
        "resume": (Action.QUEUE_RESUME, _resume),
        "limit": (Action.TYPE_LIMIT, _limit),
        "set a key": (Action.KEY_SET, _set_key),
        "unset a key": (Action.KEY_UNSET, _unset_key),
        "pause a key": (Action.KEY_PAUSE, _pause_key),
        "pass a key": (Action.KEY_PASS, _pass_key),
        "put a schedule": (Action.SCHEDULE_PUT, _put_schedule),
        "change a schedule": (Action.SCHEDULE_PUT, _change_schedule),
        "pause a schedule": (Action.SCHEDULE_PAUSE, _pause_schedule),
        "drop a schedule": (Action.SCHEDULE_DROP, _drop_schedule),
        "run a schedule": (Action.SCHEDULE_RUN, _run_schedule),
        "run a schedule whose jobs have keys": (Action.SCHEDULE_RUN, _run_schedule_with_a_key),
        "add an API key": (Action.API_KEY_ADD, _add_api_key),
        "rotate an API key": (Action.API_KEY_ROTATE, _rotate_api_key),
        "end an API key": (Action.API_KEY_REVOKE, _end_api_key),
        "drop an API key": (Action.API_KEY_DROP, _drop_api_key),
        "start an operation": (Action.OPERATION_START, _start_operation),
        "cancel an operation": (Action.OPERATION_CANCEL, _cancel_operation),
    }
)
"""What each does: its action, and what makes ready for it and gives the verb."""


async def everything(bench: Bench) -> list[Any]:
    """All that operators may change, to be compared."""
    store = bench.store
    jobs = await bench.listed()
    running = [run for node in bench.nodes for run in await store.cancellations(node)]
    keys = await store.keys(None, 100)
    rest = (await store.schedules(), await store.api_keys(), await store.operations(None, 100), await bench.counts())
    return [jobs, running, await store.rules(), keys, *rest]
