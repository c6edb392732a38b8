"""How a client says what operators do: with a deed, which the store writes down if something is changed by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ferryman.client.inserter import patiently
from ferryman.domain import audit
from ferryman.domain.audit import Action, Deed
from ferryman.store.protocol import Clock

T = TypeVar("T")


class Deeds:
    """Makes deeds, at the store's time."""

    def __init__(self, clock: Clock, actor: str) -> None:
        """`actor` acts where a verb does not say by whom it is said. Raises BadOption."""
        self._clock = clock
        self._actor = audit.actor(actor)

    def of(self, action: Action, target: str, by: str | None, **detail: Any) -> Deed:
        """A deed of now; what is None of its detail is left out. Raises BadOption."""
        return Deed(self._clock.now(), self.actor(by), action, target, _said(detail))

    def actor(self, by: str | None) -> str:
        """Who acts. Raises BadOption."""
        return self._actor if by is None else audit.actor(by)

    async def do(
        self, verb: Callable[[Deed], Awaitable[T]], action: Action, target: str, by: str | None, **detail: Any
    ) -> T:
        """Say a verb with its deed, again and again while the store is busy. Raises BadOption, StoreError."""
        return await patiently(lambda: verb(self.of(action, target, by, **detail)))


def _said(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if value is not None}
