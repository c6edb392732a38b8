"""`ferryman schedules`: what people do without a change of code."""

from __future__ import annotations

import pytest

from ferryman.domain.cron import Cron
from ferryman.domain.schedule import Order, Schedule
from tests.cli.shop import Result, Shop


@pytest.fixture
def target(shop: Shop) -> str:
    return shop.target()


def add(shop: Shop, *more: str, name: str = "nightly", cron: str = "30 2 * * *") -> Result:
    return shop.call("schedules", "add", name, cron, "greet", "name=Ada", "--target", shop.target(), *more)


def test_a_schedule_is_added_listed_and_shown(shop: Shop, target: str) -> None:
    told = add(shop, "--time-zone", "Europe/Berlin", "--tag", "a", "--missed", "all", "--overlap", "skip")
    assert told.out == "The schedule nightly is added: At 02:30 every day (Europe/Berlin).\n"
    listed = shop.call("schedules", "ls")
    assert listed.rows == [
        ["nightly", "greet", "30", "2", "*", "*", "*", "Europe/Berlin", "in", "1h", "30m", "0", "people"]
    ]
    shown = shop.call("schedules", "show", "nightly").out.splitlines()
    assert "cron          30 2 * * * (Europe/Berlin)" in shown
    assert "in words      At 02:30 every day" in shown
    assert "missed        all, at most 100" in shown
    assert 'payload       {"name":"Ada"}' in shown
    assert "queue         letters" in shown
    assert "tags          a" in shown
    assert "from          people" in shown
    assert shown[-5:] == [f"  2026-01-0{day}T02:30:00+01:00" for day in range(1, 6)]


def test_programs_get_json(shop: Shop, target: str) -> None:
    added = add(shop, "--json", "--max-attempts", "2", "--timeout", "5m", "--priority", "1").json
    assert (added["max_attempts"], added["timeout"], added["priority"], added["queue"]) == (2, 300, 1, "letters")
    assert shop.call("schedules", "show", "nightly", "--json").json == added
    assert shop.call("schedules", "ls", "--json").json == [added]
    assert shop.call("schedules", "pause", "nightly", "--json").json["paused"]
    assert not shop.call("schedules", "resume", "nightly", "--json").json["paused"]
    assert shop.call("schedules", "run", "nightly", "--json", "--target", target).json["type"] == "greet"
    assert shop.call("schedules", "rm", "nightly", "--json").json == {"dropped": "nightly"}
    assert shop.call("schedules", "ls", "--json").json == []


def test_adding_it_again_changes_it(shop: Shop, target: str) -> None:
    add(shop)
    assert "was so already" in add(shop).out
    assert "is changed: At 03:30 every day (UTC)." in add(shop, cron="30 3 * * *").out
    payload = ("--payload", '{"name": "Bob"}')
    changed = shop.call("schedules", "add", "nightly", "@daily", "greet", *payload, "--target", target, "--json")
    assert changed.json["payload"] == {"name": "Bob"}
    assert len(shop.call("schedules", "ls").rows) == 1


def test_pause_resume_run_and_rm(shop: Shop, target: str) -> None:
    add(shop)
    assert shop.call("schedules", "pause", "nightly").out == "The schedule nightly is paused.\n"
    assert "paused" in shop.call("schedules", "ls").rows[0]
    assert shop.call("schedules", "show", "nightly").out.splitlines()[-1] == "next          paused"
    id = shop.call("schedules", "run", "nightly", "--target", target).out.strip()
    assert shop.read(id).payload == '{"name":"Ada"}'
    assert shop.call("schedules", "resume", "nightly").out == "The schedule nightly goes on.\n"
    assert shop.call("schedules", "rm", "nightly").out == "The schedule nightly is dropped.\n"
    assert shop.call("schedules", "ls").out == "No schedules.\n"


def test_what_code_declares_is_marked(shop: Shop) -> None:
    async def declare(bench: object) -> None:
        now, store = shop.clock.now(), shop.bench.store
        for name in ("a", "b", "c"):
            await store.put_schedule(Schedule(name, Cron("@daily"), Order("t")), now, declared=True)
        await store.put_schedule(Schedule("b", Cron("@hourly", "Mars/Olympus"), Order("t")), now)
        await store.undeclare_schedule("c")

    shop.do(declare)
    rows = [row[0:1] + row[-1:] for row in shop.call("schedules", "ls").rows]
    assert rows == [["a", "code"], ["b", "code*"], ["c", "code"]]
    assert shop.call("schedules", "ls").out.splitlines()[3].endswith("former code")
    shown = shop.call("schedules", "show", "b").out.splitlines()
    assert "from          code, changed by people" in shown
    assert "never" in shop.call("schedules", "ls").out


@pytest.mark.parametrize("verb", ["show", "pause", "resume", "run", "rm"])
def test_a_schedule_that_is_not_there(shop: Shop, target: str, verb: str) -> None:
    add(shop)
    told = shop.call("schedules", verb, "other")
    assert (told.code, "FM417" in told.err) == (1, True)


def test_a_schedule_that_could_not_work_is_refused(shop: Shop, target: str) -> None:
    assert "FM320" in add(shop, cron="* * *").err
    assert "FM320" in add(shop, "--time-zone", "Mars/Olympus").err
    assert "FM311" in add(shop, name="a b").err
    assert "FM311" in add(shop, "--max-missed", "1001").err
    assert "FM303" in shop.call("schedules", "add", "x", "@daily", "greet", "nme=Ada", "--target", target).err
    both = add(shop, "--payload", "{}")
    assert (both.code, "not both" in both.err) == (2, True)


def test_the_group_lists_its_commands(shop: Shop) -> None:
    assert "Drop a schedule." in shop.call("schedules").out
