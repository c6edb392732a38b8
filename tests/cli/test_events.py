"""`ferryman events`."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ferryman.store.journaling import Position, Told
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop

Happen = Callable[[Bench], Any]


@pytest.fixture
def meanwhile(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[Happen], None]:
    """Says what happens once the command listens; when changes have been read, or a gap was found twice, Ctrl-C."""
    real = SqliteStore.journal
    happened: list[Happen] = []
    told = 0

    async def journal(self: SqliteStore, after: Position | None, *asked: Any) -> Told:
        nonlocal told
        if after is not None and told > 1:
            told = 0
            signal.raise_signal(signal.SIGINT)
        if after is not None and happened:
            store = shop.bench.store
            await store.open()
            await happened.pop()(shop.bench)
            await store.close()
        page = await real(self, after, *asked)
        told += 2 * bool(page.changes) + page.gap
        return page

    def say(what: Happen) -> None:
        happened.append(what)
        monkeypatch.setattr(SqliteStore, "journal", journal)

    return say


async def something(bench: Bench) -> None:
    await bench.add("mail", queue="q")
    await bench.finish(await bench.claim_one())
    await bench.add("echo")


def test_it_prints_what_happens_until_ctrl_c(shop: Shop, meanwhile: Callable[[Happen], None]) -> None:
    shop.do()
    meanwhile(something)
    result = shop.call("events")
    assert (result.code, result.err) == (0, "")
    lines = [line.split() for line in result.out.splitlines()]
    assert [[line[0], *line[2:]] for line in lines] == [
        ["00:00:00", "pending", "created", "mail", "q"],
        ["00:00:00", "completed", "done", "mail", "q"],
        ["00:00:00", "pending", "created", "echo", "default"],
    ]
    assert lines[0][1] == lines[1][1]


def test_as_json_it_is_an_object_per_line_and_filters(shop: Shop, meanwhile: Callable[[Happen], None]) -> None:
    shop.do()
    meanwhile(something)
    result = shop.call("events", "--json", "--queue", "q", "--type", "m*", "--status", "completed")
    [told] = [json.loads(line) for line in result.out.splitlines()]
    assert {name: value for name, value in told.items() if name != "id"} == {
        "queue": "q",
        "type": "mail",
        "status": "completed",
        "what": "done",
        "claim": 1,
        "at": "2026-01-01T00:00:00.000000Z",
    }


def test_what_is_missing_is_said(shop: Shop, meanwhile: Callable[[Happen], None]) -> None:
    shop.do()

    async def long_ago(bench: Bench) -> None:
        await bench.store.journal(None, bench.now + 3_600_000_000)
        await bench.add()

    meanwhile(long_ago)
    result = shop.call("events")
    assert (result.code, result.err) == (0, "Some changes were missed here.\n")


def test_a_status_that_is_not_told_is_wrong_usage(shop: Shop) -> None:
    result = shop.call("events", "--status", "processing")
    assert result.code == 2
    assert "completed" in result.err


def test_a_missing_database_is_exit_3(shop: Shop) -> None:
    assert shop.call("events").code == 3
