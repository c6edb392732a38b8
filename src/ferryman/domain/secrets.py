"""Arguments that nobody but their handler is to see.

The store holds a secret as plain JSON, because the handler needs it. Everywhere else Ferryman shows `***`.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar, cast, final

import msgspec

T_co = TypeVar("T_co", covariant=True)

MASK: Final = "***"
"""What is shown instead of a secret."""


@final
class Secret(Generic[T_co]):
    """A value that prints as `Secret(***)`.

    As the annotation of a handler's parameter, `Secret[str]`, it says that the argument is not to be shown. The
    caller gives `Secret("x")`, and the handler gets one, whose value is `token.reveal()`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T_co) -> None:
        self._value = value

    def reveal(self) -> T_co:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == cast("Secret[object]", other).reveal())

    def __hash__(self) -> int:
        return hash((Secret, self._value))


def mask(payload: str, names: frozenset[str]) -> str:
    """A payload as it may be shown: the named members are `***`. What is no JSON object is hidden as a whole."""
    try:
        members = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError):
        return f'"{MASK}"'
    if names.isdisjoint(members):
        return payload
    shown = {name: MASK if name in names else value for name, value in members.items()}
    return msgspec.json.encode(shown).decode()
