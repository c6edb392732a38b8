"""Each kind of harm does what its name says, to whom it says, and is over when it is over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Final, TypeVar

import psycopg
import pytest

from tests.chaos.postgres import pooler
from tests.chaos.postgres.harm import Harm, Way
from tests.chaos.postgres.pooler import PARAMETER, Pooler
from tests.chaos.postgres.server import Server
from tests.chaos.postgres.troubles import Troubles
from tests.postgres.proxy import Proxy

T = TypeVar("T")
PLACES: Final = ("a", "b", "p")
IN_VAIN: Final = ("half-open", "half-open, then dropped", "locks held")
"""What makes those wait who come meanwhile, for as long as they have patience."""
WELL: Final = "well"

BRINGS: Final[Mapping[str, str]] = {
    "server killed": "OperationalError",
    "server stopped": "OperationalError",
    "server stopped at once": "OperationalError",
    "too many connections": "OperationalError",
    "statements timed out": "QueryCanceled",
    "read-only": "ReadOnlySqlTransaction",
    "connections cut": "OperationalError",
    "half-open": "ConnectionTimeout",
    "half-open, then dropped": "ConnectionTimeout",
    "slow": WELL,
    "locks held": "LockNotAvailable",
}
"""What those are told who come meanwhile."""
AT_ONCE: Final = ("sessions terminated", "connections dropped", "replies swallowed")


class Dice(random.Random):
    """Nothing lasts for long, and everybody has it."""

    def uniform(self, a: float, b: float) -> float:
        return a

    def random(self) -> float:
        return 1.0

    def choice(self, seq: object) -> object:  # type: ignore[override]
        assert isinstance(seq, tuple | list)
        return seq[-1]

    def sample(self, population: Sequence[T], k: int, *, counts: object = None) -> list[T]:
        return list(population[:k])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def way(server: Server) -> Iterator[Way]:
    with ExitStack() as stack:
        yield Way(server, {name: stack.enter_context(Proxy(server.node_url)) for name in PLACES})


def come(url: str, *, patient: bool = True) -> str:
    """Connect as a node does, and write; gives the name of the error."""
    connect, lock = (60, "60s") if patient else (2, "100ms")
    try:
        with psycopg.connect(url, connect_timeout=connect, options=f"-c lock_timeout={lock}") as connection:
            connection.execute("SELECT pg_sleep(0.02)")
            connection.execute(
                "INSERT INTO ferryman.key (scope, key, job) SELECT 's', gen_random_uuid()::text, gen_random_uuid()"
            )
    except psycopg.Error as error:
        return type(error).__name__
    return WELL


def done(way: Way, kind: str, meanwhile: Callable[[], None]) -> Troubles:
    troubles = Troubles()

    def wait_until(true: Callable[[], bool], seconds: float) -> bool:
        return true()

    Harm(way, troubles, Dice(), wait_until, meanwhile).kinds[kind]()
    return troubles


@pytest.mark.parametrize("kind", BRINGS)
def test_who_comes_meanwhile_is_told_and_who_comes_afterwards_is_well(way: Way, kind: str) -> None:
    proxy = way.proxies["b"]
    told: list[str] = []
    troubles = done(way, kind, lambda: told.append(come(proxy.url(), patient=kind not in IN_VAIN)))
    assert set(told) == {BRINGS[kind]}
    assert come(proxy.url()) == WELL
    assert [(each.name, each.slots) for each in troubles.all] == [(kind, frozenset())]


@pytest.mark.parametrize("kind", AT_ONCE)
def test_who_is_connected_is_thrown_out(way: Way, kind: str) -> None:
    with psycopg.connect(way.proxies["a"].url(), autocommit=True) as connection:
        connection.execute("SELECT 1")
        done(way, kind, lambda: None)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert come(way.proxies["a"].url()) == WELL


def test_there_is_a_test_of_each_kind(way: Way) -> None:
    harm = Harm(way, Troubles(), Dice(), lambda true, seconds: True, lambda: None)
    assert set(harm.kinds) == {*BRINGS, *AT_ONCE}


def test_some_places_may_have_it_alone(way: Way) -> None:
    class One(Dice):
        def choice(self, seq: object) -> object:  # type: ignore[override]
            assert isinstance(seq, tuple | list)
            return seq[0]

    told: dict[str, str] = {}
    troubles = Troubles()
    harm = Harm(
        way,
        troubles,
        One(1),
        lambda true, seconds: True,
        lambda: told.update({name: come(proxy.url()) for name, proxy in way.proxies.items()}),
    )
    harm.kinds["connections cut"]()
    (trouble,) = troubles.all
    (slot,) = trouble.slots
    assert {name for name, error in told.items() if error != WELL} == {slot}


def test_rows_that_should_be_gone_are_counted(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("INSERT INTO ferryman.key (scope, key, job) SELECT 'unique:t', 'k', gen_random_uuid()")
        connection.execute("INSERT INTO ferryman.held VALUES ('k', 1, gen_random_uuid(), 1, 0, 0, 0, 0, 0)")
        assert server.left() == {"held": 1, "unique_keys": 1 + _others(connection)}
        connection.execute("DELETE FROM ferryman.key")
        connection.execute("DELETE FROM ferryman.held")
    assert server.left() == {}


def _others(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute("SELECT count(*) FROM ferryman.key WHERE scope = 's'").fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def test_nodes_have_the_rights_of_those_who_run(server: Server) -> None:
    with psycopg.connect(server.node_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE ferryman.mine (number int)")


if pooler.available():  # a campaign without it says what it needs

    def test_a_pooler_that_is_killed_comes_again(server: Server) -> None:
        between = Pooler(server.node_url)
        try:
            between.start()
            with Proxy(between.url) as proxy:
                told: list[str] = []
                done(Way(server, {"a": proxy}, between), "pooler killed", lambda: told.append(come(between.url)))
                assert told == ["OperationalError"]
                with psycopg.connect(proxy.url(), prepare_threshold=None) as connection:
                    assert connection.execute("SELECT 1").fetchone() == (1,)
            assert PARAMETER.startswith("?")
        finally:
            between.close()
