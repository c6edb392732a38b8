"""`ferryman operations`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from ferryman.domain.bulk import BulkStatus
from ferryman.domain.state import Status
from ferryman.store.bulk import BulkOperation
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.operating import carry_out
from tests.cli.shop import Shop


async def three(bench: Bench) -> list[str]:
    return [await bench.add() for _ in range(3)]


async def only(bench: Bench) -> BulkOperation:
    [kept] = await bench.store.operations(None, 5)
    return kept


def being_carried_out(shop: Shop) -> Callable[[], Awaitable[None]]:
    """A node, while the command waits: it works on the store that the command has open, too."""

    async def work() -> None:
        await shop.bench.store.open()
        try:
            await carry_out(shop.bench, await only(shop.bench))
        finally:
            await shop.bench.store.close()

    return work


def test_an_operation_is_started(shop: Shop) -> None:
    shop.one(three)
    result = shop.call("operations", "add", "cancel", "--filter", "type:echo", "--yes")
    kept = shop.one(only)
    assert (result.code, result.out) == (0, f"The operation {kept.id} is started: nodes carry it out.\n")
    assert (kept.wish.action, kept.wish.filter, kept.wish.by) == ("cancel", "type:echo", "cli:anna@host")
    shop.one(lambda bench: carry_out(bench, kept))
    told = shop.call("operations", "show", kept.id).out
    assert "so far       3 changed, 0 skipped, of 3 examined\n" in told
    assert "status       completed\n" in told


def test_what_is_to_be_changed_is_said_by_options(shop: Shop) -> None:
    ids = shop.one(three)
    to = ("--to-queue", "bulk", "--to-priority", "9", "--delay", "2h")
    added = shop.call("operations", "add", "change", "--filter", "type:*", *to, "--yes", "--json").json
    assert added["change"] == {"queue": "bulk", "priority": 9, "run_at": "2026-01-01T02:00:00.000000Z"}
    shop.one(only_carried_out)
    job = shop.read(ids[0])
    assert (job.queue, job.priority, job.status) == ("bulk", 9, Status.SCHEDULED)
    told = shop.call("operations", "show", added["id"]).out
    assert "to queue     bulk\nto priority  9\nto run_at    2026-01-01T02:00:00.000000Z\n" in told


async def only_carried_out(bench: Bench) -> None:
    await carry_out(bench, await only(bench))


def test_a_retry_has_a_rate(shop: Shop) -> None:
    shop.one(three)
    added = shop.call("operations", "add", "retry", "--filter", "type:*", "--rate", "30/m", "--yes", "--json").json
    assert added["rate"] == 0.5
    assert "rate         30/m" in shop.call("operations", "show", added["id"]).out
    refused = shop.call("operations", "add", "cancel", "--filter", "type:*", "--rate", "5", "--yes")
    assert (refused.code, "only a retry has one" in refused.err) == (1, True)


def test_a_dry_run_counts(shop: Shop) -> None:
    shop.one(three)
    add = ("operations", "add", "cancel", "--filter", "type:*", "--dry-run")
    assert shop.call(*add).out == "3 jobs would be changed.\n"
    assert shop.call(*add, "--json").json == {"count": 3, "complete": True, "dry_run": True}
    assert shop.call("operations", "ls").out == "No operations.\n"


def test_a_person_is_asked(shop: Shop) -> None:
    shop.one(three)
    add = ("operations", "add", "cancel", "--filter", "type:*")
    nobody = shop.call(*add)
    assert (nobody.code, "error FM122" in nobody.err) == (2, True)
    shop.terminal = True
    no = shop.call(*add, stdin="n\n")
    assert (no.code, no.err) == (1, "Cancel 3 jobs? [y/N]: Nothing was changed.\n")
    assert shop.call("operations", "ls").out == "No operations.\n"
    assert shop.call(*add, stdin="y\n").code == 0
    assert len(shop.call("operations", "ls").rows) == 1


@pytest.mark.parametrize("terminal", [False, True])
def test_its_end_is_waited_for(shop: Shop, terminal: bool) -> None:
    shop.one(three)
    shop.terminal = terminal
    shop.pauses += [lambda: None, being_carried_out(shop)]
    result = shop.call("operations", "add", "cancel", "--filter", "type:*", "--yes", "--wait")
    assert result.code == 0, result.err
    assert result.out.endswith("is completed: 3 changed, 0 skipped, of 3 examined.\n")
    assert ("0 changed, 0 skipped, of 0 examined" in result.err) is terminal


def test_one_that_is_stopped_has_not_completed(shop: Shop) -> None:
    shop.one(three)
    shop.pauses.append(being_stopped(shop))
    result = shop.call("operations", "add", "cancel", "--filter", "type:*", "--yes", "--wait", "--json")
    assert (result.code, result.json["status"]) == (1, "cancelled")


def being_stopped(shop: Shop) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await shop.bench.store.open()
        try:
            await shop.bench.store.cancel_operation((await only(shop.bench)).id, shop.bench.now)
        finally:
            await shop.bench.store.close()

    return work


def test_one_is_stopped(shop: Shop) -> None:
    shop.one(three)
    id = shop.call("operations", "add", "cancel", "--filter", "type:*", "--yes", "--json").json["id"]
    assert shop.call("operations", "cancel", id).out == (
        f"The operation {id} is stopped: 0 changed, 0 skipped, of 0 examined.\n"
    )
    assert shop.one(only).status is BulkStatus.CANCELLED
    assert "FM409" in shop.call("operations", "cancel", id).err
    assert "FM424" in shop.call("operations", "show", "x").err


def test_programs_get_json(shop: Shop) -> None:
    shop.one(three)
    added = shop.call("operations", "add", "delete", "--filter", "type:*", "--yes", "--json").json
    assert shop.call("operations", "ls", "--json").json == [added]
    assert shop.call("operations", "show", added["id"], "--json").json == added
    stopped = shop.call("operations", "cancel", added["id"], "--json").json
    assert stopped == added | {"status": "cancelled", "finished_at": "2026-01-01T00:00:00.000000Z"}


def test_ls_says_how_far_each_is(shop: Shop) -> None:
    shop.one(three)
    shop.call("operations", "add", "cancel", "--filter", "type:* -tag:x", "--yes")
    shop.clock.advance(60)
    [row] = shop.call("operations", "ls").rows
    assert row[1:] == ["cancel", "running", "0", "0", "0", "1m", "cli:anna@host", "type:*", "-tag:x"]
