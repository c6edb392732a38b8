"""`ferryman audit`, and what commands leave there."""

from __future__ import annotations

import getpass
import os
import re
from typing import Any, NoReturn

import pytest

from ferryman.cli.world import person
from ferryman.domain.audit import ACTOR_MOST
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.deeds import deed_of
from tests.cli.shop import Shop

ANNA = "cli:anna@host"


def log(shop: Shop, *filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.call("audit", "--json", *filters).json
    return found


async def jobs(bench: Bench) -> list[str]:
    return [await bench.add(), await bench.bring(Status.SCHEDULED)]


def test_a_missing_database_is_exit_3_and_is_not_made(shop: Shop) -> None:
    result = shop.call("audit")
    assert (result.code, result.out) == (3, "")
    assert list(shop.folder.iterdir()) == []


def test_each_command_that_changes_something_says_who_typed_it(shop: Shop) -> None:
    first, second = shop.one(jobs)
    target = shop.target()
    for command, action in (
        (("jobs", "cancel", first), "job.cancel"),
        (("jobs", "retry", first), "job.retry"),
        (("jobs", "reprioritise", second, "--to", "1"), "job.place"),
        (("jobs", "purge", "default", "--yes"), "job.purge"),
        (("pause", "mail"), "queue.pause"),
        (("resume", "mail"), "queue.resume"),
        (("limit", "--type", "echo", "--concurrency", "2"), "type.limit"),
        (("keys", "set", "k", "--concurrency", "2"), "key.set"),
        (("keys", "pause", "k"), "key.pause"),
        (("keys", "resume", "k"), "key.resume"),
        (("keys", "set", "k", "--unset"), "key.unset"),
        (("schedules", "add", "nightly", "@daily", "greet", "name=Ada", "--target", target), "schedule.put"),
        (("schedules", "pause", "nightly"), "schedule.pause"),
        (("schedules", "run", "nightly", "--target", target), "schedule.run"),
        (("schedules", "resume", "nightly"), "schedule.resume"),
        (("schedules", "rm", "nightly"), "schedule.drop"),
    ):
        result = shop.call(*command)
        assert result.code == 0, (command, result.err)
        newest = log(shop, "--limit", "1")[0]
        assert (newest["actor"], newest["action"]) == (ANNA, action)
    assert len(log(shop)) == 16


def test_people_read_a_table(shop: Shop) -> None:
    shop.do()
    assert shop.call("audit").out == "Nobody has changed anything.\n"
    shop.call("limit", "mail", "--concurrency", "2")
    shop.call("pause", "mail")
    result = shop.call("audit")
    assert re.split(r"\s+", result.out.splitlines()[0]) == ["NUMBER", "AT", "BY", "ACTION", "OF", "DETAIL"]
    assert result.rows == [
        ["2", "2026-01-01T00:00:00Z", ANNA, "queue.pause", "mail"],
        ["1", "2026-01-01T00:00:00Z", ANNA, "queue.limit", "mail", '{"concurrency":2}'],
    ]


def test_nothing_in_the_log_moves_the_cursor_of_a_terminal(shop: Shop) -> None:
    async def write(bench: Bench) -> None:
        await bench.store.pause_key("k", True, bench.now, deed=deed_of(bench, "key.pause", "\x1b[2J\n"))

    shop.do(write)
    assert "\x1b" not in shop.call("audit").out and r"\x1b[2J\n" in shop.call("audit").out


def test_filters_and_pages(shop: Shop) -> None:
    shop.do()
    for name in ("a", "b", "c"):
        shop.call("pause", name)
    shop.call("resume", "b")
    assert [deed["target"] for deed in log(shop, "--action", "queue.pause")] == ["c", "b", "a"]
    assert [deed["number"] for deed in log(shop, "--of", "b")] == [4, 2]
    assert [deed["number"] for deed in log(shop, "--of", "b", "--after", "4")] == [2]
    assert [deed["number"] for deed in log(shop, "--limit", "2", "--by", ANNA)] == [4, 3]
    assert log(shop, "--by", "http") == []
    result = shop.call("audit", "--action", "queue.pose")
    assert result.code == 2 and "queue.pause" in result.err


def test_bytes_that_are_no_text_are_nobodys_name(shop: Shop) -> None:
    shop.do()
    shop.call("pause", "mail")
    for option in ("--of", "--by"):
        assert log(shop, option, os.fsdecode(b"\xff")) == []


def test_a_person_is_a_user_on_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    assert re.fullmatch(r"anna@.+", person())

    def nobody() -> NoReturn:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert person().startswith(f"{os.getuid()}@")


def test_a_long_or_wild_name_is_cut_and_written_out(shop: Shop) -> None:
    shop.who = "a\nb" + "x" * 200
    shop.do()
    shop.call("pause", "mail")
    [deed] = log(shop)
    assert deed["actor"] == (r"cli:a\nb" + "x" * 200)[:ACTOR_MOST]
