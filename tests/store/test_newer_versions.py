"""What nodes and operators of a newer version have written is not for this one, and hinders nobody."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import psycopg
import pytest

from ferryman.domain.nodes import Condition, NodeWish
from ferryman.store.protocol import Store
from tests.store.files import node_info, sqlite_store
from tests.store.servers import opened

pytestmark = pytest.mark.anyio
CONDITION: Final = Condition(5, 4096, quiet=False, busy=0)


async def heard_nothing(store: Store, node: int) -> None:
    """The node hears no wish, and everybody sees it all the same."""
    assert await store.check_in(node, CONDITION) is None
    (told,) = await store.nodes(0)
    assert (told.wish, told.live) == (None, True)


async def test_a_wish_that_only_they_know_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    store = sqlite_store(path)
    await store.open()
    node = await store.register(node_info("n"), 0)
    assert await store.command("n", NodeWish.STOP, 0)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE node SET wish = 'upgrade', wished_at = 1")
    await heard_nothing(store, node)
    assert await store.command("n", NodeWish.QUIET, 2)
    assert await store.check_in(node, CONDITION) is not None
    await store.close()


@pytest.mark.parametrize("said", ["", "{", '{"at": "noon"}', "\0"])
async def test_what_a_node_says_that_cannot_be_read_in_a_file(tmp_path: Path, said: str) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    node = await store.register(node_info("n"), 0)
    (tmp_path / "jobs.db-nodes" / "n.json").write_text(said)
    assert [each.condition for each in await store.nodes(0)] == [None]
    await store.check_in(node, CONDITION)
    assert [each.condition for each in await store.nodes(0)] == [CONDITION]
    await store.close()


async def test_what_they_say_in_a_database(database: str) -> None:
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE ferryman.node SET wish = 'upgrade', wished_at = 1, condition = '{}'")
        assert [each.condition for each in await store.nodes(0)] == [None]
        await heard_nothing(store, node)
        assert await store.command("n", NodeWish.QUIET, 2)
        assert await store.check_in(node, CONDITION) is not None
