"""The keys of jobs and their gates, said to a server."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.domain import options
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.http.keys import KeyJson, Passed
from ferryman.http.remote.asking import Ask, body_of
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.paths import asked, path_of
from ferryman.http.remote.reading import read
from ferryman.store.protocol import KeyStatus


class Keys:
    """As `client.keys`. Each verb but `let_pass` can be said any number of times."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, after: str | None = None, limit: int = 1000) -> Sequence[KeyStatus]:
        """The keys that are in use, or were set or paused, in the order of their texts, from after one of them on."""
        reply = await self._connection.say(Ask("GET", asked("/keys", [("cursor", after), ("limit", limit)])))
        return read(reply, tuple[KeyJson, ...], lambda found: tuple(map(_status, found)))

    async def get(self, key: str) -> KeyStatus:
        """One key. Raises KeyNotFound: nobody uses it."""
        return await self._say("GET", key)

    async def set(self, key: str, rule: GateRule) -> KeyStatus:
        """Have its gate keep to a rule, whatever jobs bring along. Raises BadOption, WrongContent."""
        said = {
            "concurrency": rule.concurrency,
            "rate": rule.rate,
            "burst": None if rule.rate is None else rule.burst,
            "share": rule.share,
            "sequence": rule.strict or None,
            "on_failure": rule.on_failure if rule.strict else None,
        }
        return await self._say("PUT", key, body=body_of(said))

    async def unset(self, key: str) -> KeyStatus:
        """Let the next job bring the rule again; until then that of now stays. Raises KeyNotFound."""
        return await self._say("DELETE", key)

    async def pause(self, key: str) -> KeyStatus:
        """Let nobody in any more; who is in goes on. Raises BadOption."""
        return await self._say("POST", key, "pause")

    async def resume(self, key: str) -> KeyStatus:
        """Let jobs in again. Raises KeyNotFound."""
        return await self._say("POST", key, "resume")

    async def let_pass(self, key: str) -> Sequence[str]:
        """Let a sequence go on without the failed jobs for which it waits; gives their ids.

        An answer that was lost is not asked for again: by then another one may have failed.

        Raises:
            KeyNotFound: nobody uses the key.
        """
        reply = await self._connection.say(Ask("POST", _path(key, "pass"), repeatable=False))
        return read(reply, Passed, lambda found: tuple(found.passed))

    async def _say(self, method: str, key: str, *below: str, body: bytes | None = None) -> KeyStatus:
        return read(await self._connection.say(Ask(method, _path(key, *below), body)), KeyJson, _status)


def _path(key: str, *below: str) -> str:
    return path_of("keys", options.key(key), *below)


def _status(found: KeyJson) -> KeyStatus:
    rule = GateRule(
        concurrency=found.concurrency,
        rate=found.rate,
        burst=1 if found.burst is None else found.burst,
        strict=found.sequence,
        on_failure=OnFailure.HOLD if found.on_failure is None else OnFailure(found.on_failure),
        share=found.share,
    )
    return KeyStatus(
        key=found.key,
        rule=rule,
        pinned=found.pinned,
        paused=found.paused,
        slots=found.slots,
        waiting=found.waiting,
        held_by=found.held_by,
    )
