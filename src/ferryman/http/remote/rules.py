"""What holds for whole queues and types, said to a server."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.client.rules import checked
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.http.remote.asking import Ask, body_of
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.paths import path_of
from ferryman.http.remote.reading import read
from ferryman.http.rules import RuleJson


class Rules:
    """As `client.rules`. Each verb can be said any number of times."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[Rule]:
        """Every rule that says something, by scope and name."""
        reply = await self._connection.say(Ask("GET", "/rules"))
        return read(reply, tuple[RuleJson, ...], lambda found: tuple(map(_rule, found)))

    async def pause(self, scope: Scope, name: str) -> Rule:
        """Let nobody claim jobs of a queue or type any more; those that run, or that a node holds, go on.

        Raises:
            BadOption: it is no name of a queue or type.
        """
        return await self._say("POST", scope, name, "pause")

    async def resume(self, scope: Scope, name: str) -> Rule:
        """Let them be claimed again. Raises as `pause`."""
        return await self._say("POST", scope, name, "resume")

    async def limit(self, scope: Scope, name: str, limit: Limit) -> Rule:
        """Bound how much of a queue or type may run at once and be started in a second; `Limit()` ends that.

        Raises:
            BadOption: the name is not allowed.
            WrongContent: a number is not.
        """
        if not limit.is_bound:
            return await self._say("DELETE", scope, name, "limit")
        burst = None if limit.rate is None else limit.burst
        said = body_of({"concurrency": limit.concurrency, "rate": limit.rate, "burst": burst})
        return await self._say("PUT", scope, name, "limit", said)

    async def _say(self, method: str, scope: Scope, name: str, verb: str, body: bytes | None = None) -> Rule:
        kind = Scope(scope)
        path = path_of(f"{kind}s", checked(kind, name), verb)
        return read(await self._connection.say(Ask(method, path, body)), RuleJson, _rule)


def _rule(found: RuleJson) -> Rule:
    limit = Limit(found.concurrency, found.rate, 1 if found.burst is None else found.burst)
    return Rule(found.scope, found.name, found.paused, limit)
