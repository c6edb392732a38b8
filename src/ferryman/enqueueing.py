"""An enqueue that is not awaited is a job that is lost without a word. This one speaks."""

from __future__ import annotations

import warnings
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, TypeVar

from ferryman.domain.errors import NotAwaited

T_co = TypeVar("T_co", covariant=True)


class Enqueueing(Coroutine[Any, Any, T_co]):
    """A coroutine that warns, with a code and with what to do, if it is thrown away before it began."""

    __slots__ = ("__weakref__", "_begun", "_coroutine", "_type")

    def __init__(self, type: str, coroutine: Coroutine[Any, Any, T_co]) -> None:
        """Wrap what would enqueue a job of a type."""
        self._type = type
        self._coroutine = coroutine
        self._begun = False

    def __await__(self) -> Generator[Any, Any, T_co]:
        self._begun = True
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        """See `Coroutine.send`."""
        self._begun = True
        return self._coroutine.send(value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None, /) -> Any:
        """See `Coroutine.throw`."""
        self._begun = True
        return self._coroutine.throw(kind if value is None else value)

    def close(self) -> None:
        """See `Coroutine.close`."""
        self._begun = True
        self._coroutine.close()

    def __del__(self) -> None:
        if not self._begun:
            self._coroutine.close()  # else Python says the same once more, without the code
            error = NotAwaited(
                f"aenqueue() of {self._type} was never awaited: nothing was enqueued.",
                hint="Write `await` before it, or call enqueue() where no event loop runs.",
            )
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)
