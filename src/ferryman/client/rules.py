"""What people say of whole queues and types: pause them, let them go on, limit them."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.client.deeds import Deeds
from ferryman.domain import options
from ferryman.domain.audit import Action
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.store.protocol import Store, Wakeup


class Rules:
    """Verbs about rules. A name may be one that no job has yet."""

    def __init__(self, store: Store, wakeup: Wakeup, deeds: Deeds) -> None:
        self._deeds = deeds
        self._store = store
        self._wakeup = wakeup

    async def all(self) -> Sequence[Rule]:
        """Every rule that says something, by scope and name."""
        return await self._store.rules()

    async def pause(self, scope: Scope, name: str, *, by: str | None = None) -> Rule:
        """Let nobody claim jobs of a queue or type any more; those that run, or that a node holds, go on.

        Raises:
            BadOption: it is no name of a queue or type.
        """
        return await self._pause(scope, checked(scope, name), True, by)

    async def resume(self, scope: Scope, name: str, *, by: str | None = None) -> Rule:
        """Let them be claimed again. Raises as `pause`."""
        rule = await self._pause(scope, checked(scope, name), False, by)
        self._wakeup.work()
        return rule

    async def limit(self, scope: Scope, name: str, limit: Limit, *, by: str | None = None) -> Rule:
        """Bound how much of a queue or type may run at once and be started in a second; `Limit()` ends that.

        Raises:
            BadOption: the name or a number is not allowed.
        """
        wanted = checked(scope, name)
        rule = await self._deeds.do(
            lambda deed: self._store.limit(scope, wanted, limit, deed=deed),
            Action(f"{scope}.limit"),
            wanted,
            by,
            concurrency=limit.concurrency,
            rate=limit.rate,
            burst=None if limit.rate is None else limit.burst,
        )
        self._wakeup.work()
        return rule

    async def _pause(self, scope: Scope, name: str, paused: bool, by: str | None) -> Rule:
        action = Action(f"{scope}.{'pause' if paused else 'resume'}")
        return await self._deeds.do(lambda deed: self._store.pause(scope, name, paused, deed=deed), action, name, by)


def checked(scope: Scope, name: object) -> str:
    """The name of a queue or type. Raises BadOption."""
    return options.queue(name) if scope is Scope.QUEUE else options.type_name(name)


def limit_of(*, concurrency: object = None, rate: object = None, burst: object = None) -> Limit:
    """A limit as people say it; None is no limit, and a burst of 1.

    Raises:
        BadOption: a number is not allowed, or there is a burst without a rate.
    """
    if burst is not None and rate is None:
        raise options.refused("burst", burst, "a burst with a rate only")
    return Limit(
        None if concurrency is None else options.count("concurrency", concurrency),
        None if rate is None else options.rate(rate),
        1 if burst is None else options.count("burst", burst),
    )
