"""A verb of a client as two methods, one that blocks and one that is awaited; written once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, overload

from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.way import OwnLoop

G = TypeVar("G")
P = ParamSpec("P")
T = TypeVar("T")
Verb = Callable[Concatenate[G, P], Coroutine[Any, Any, T]]


class Face(Generic[G]):
    """What has the verbs of a client, or of one of its groups, for any thread and any loop."""

    def __init__(self, way: OwnLoop[RemoteClient], group: Callable[[RemoteClient], G]) -> None:
        """`group` says which verbs of the client these are."""
        self.way: Final = way
        """To the client that does it all, on a loop of its own."""
        self.group: Final = group


class Blocking(Generic[G, P, T]):
    """The method that blocks until the verb is done. Raises SyncInsideLoop, too."""

    def __init__(self, verb: Verb[G, P, T]) -> None:
        self._verb = verb
        self._name = verb.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, face: None, owner: type) -> Verb[G, P, T]: ...
    @overload
    def __get__(self, face: Face[G], owner: type) -> Callable[P, T]: ...
    def __get__(self, face: Face[G] | None, owner: type) -> Callable[..., Any]:
        if face is None:
            return self._verb  # with its words, for whoever asks for help
        way, group = face.way, face.group

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return way.call(lambda client: self._verb(group(client), *args, **kwargs), f"a{self._name}()")

        return call


class Awaited(Generic[G, P, T]):
    """The method that is awaited, on any event loop."""

    def __init__(self, verb: Verb[G, P, T]) -> None:
        self._verb = verb

    @overload
    def __get__(self, face: None, owner: type) -> Verb[G, P, T]: ...
    @overload
    def __get__(self, face: Face[G], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, face: Face[G] | None, owner: type) -> Callable[..., Any]:
        if face is None:
            return self._verb
        way, group = face.way, face.group

        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return await way.acall(lambda client: self._verb(group(client), *args, **kwargs))

        return call


def both(verb: Verb[G, P, T]) -> tuple[Blocking[G, P, T], Awaited[G, P, T]]:
    """The two methods that a verb is."""
    return Blocking(verb), Awaited(verb)
