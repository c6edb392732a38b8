"""A verb of `RemoteClient` as two methods of `Remote`, one that blocks and one that is awaited; written once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.way import OwnLoop

P = ParamSpec("P")
T = TypeVar("T")
Verb = Callable[Concatenate[RemoteClient, P], Coroutine[Any, Any, T]]


class HasWay(Protocol):
    """What has a way to a client."""

    @property
    def way(self) -> OwnLoop[RemoteClient]:
        """Where it goes."""
        ...


class Blocking(Generic[P, T]):
    """The method that blocks until the verb is done. Raises SyncInsideLoop, too."""

    def __init__(self, verb: Verb[P, T]) -> None:
        self._verb = verb
        self._name = verb.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, remote: None, owner: type) -> Verb[P, T]: ...
    @overload
    def __get__(self, remote: HasWay, owner: type) -> Callable[P, T]: ...
    def __get__(self, remote: HasWay | None, owner: type) -> Callable[..., Any]:
        if remote is None:
            return self._verb  # with its words, for whoever asks for help
        way = remote.way

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return way.call(lambda client: self._verb(client, *args, **kwargs), f"a{self._name}()")

        return call


class Awaited(Generic[P, T]):
    """The method that is awaited, on any event loop."""

    def __init__(self, verb: Verb[P, T]) -> None:
        self._verb = verb

    @overload
    def __get__(self, remote: None, owner: type) -> Verb[P, T]: ...
    @overload
    def __get__(self, remote: HasWay, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, remote: HasWay | None, owner: type) -> Callable[..., Any]:
        if remote is None:
            return self._verb
        way = remote.way

        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return await way.acall(lambda client: self._verb(client, *args, **kwargs))

        return call
