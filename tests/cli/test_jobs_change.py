"""`ferryman jobs`: cancel, retry, delete, by id and by filter."""

from __future__ import annotations

import threading

import pytest

from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop
from tests.cli.stock import UNKNOWN, mails, some

# -- cancel and retry, by id ---------------------------------------------------------------------


def test_cancel_and_retry_by_id_say_what_became_of_each(shop: Shop) -> None:
    ids = shop.one(some)
    result = shop.call("jobs", "cancel", ids["pending"], ids["processing"], ids["completed"], ids["pending"])
    assert result.code == 1
    assert result.out == f"{ids['pending']} cancelled\n{ids['processing']} processing, its handler is asked to end\n"
    assert f"error FM409: Job {ids['completed']} is completed already." in result.err
    assert shop.read(ids["pending"]).status == "cancelled"
    again = shop.call("jobs", "retry", ids["pending"], ids["failed"], "--json")
    assert (again.code, again.err) == (0, "")
    assert [(job["id"], job["status"]) for job in again.json] == [
        (ids["pending"], "pending"),
        (ids["failed"], "pending"),
    ]


# -- cancel and retry, by filter -----------------------------------------------------------------


async def many(bench: Bench) -> None:
    made = range(2300)
    await bench.insert(*(bench.job("echo" if n % 100 else "mail", queue="q" if n % 2 else "r") for n in made))


def standing(shop: Shop) -> dict[tuple[str, Status], int]:
    return dict(shop.one(lambda bench: bench.counts()).standing)


def test_cancel_by_filter_with_yes(shop: Shop) -> None:
    shop.do(many)
    result = shop.call("jobs", "cancel", "--queue", "r", "--type", "echo", "--yes")
    assert (result.code, result.out, result.err) == (0, "1127 jobs cancelled, or asked to end.\n", "")
    assert standing(shop) == {("q", Status.PENDING): 1150, ("r", Status.PENDING): 23}
    assert shop.call("jobs", "cancel", "--queue", "q", "--yes", "--json").json == {"changed": 1150}
    assert shop.call("jobs", "cancel", "--queue", "q", "--yes").out == "0 jobs cancelled, or asked to end.\n"


def test_retry_by_filter_means_failed_jobs(shop: Shop) -> None:
    ids = shop.one(some)
    assert shop.call("jobs", "retry", "--type", "echo", "--yes").out == "1 job pending again.\n"
    assert shop.read(ids["failed"]).status == "pending"
    assert shop.read(ids["cancelled"]).status == "cancelled"
    assert shop.call("jobs", "retry", "--status", "cancelled", "--yes").out == "1 job pending again.\n"
    assert shop.read(ids["cancelled"]).status == "pending"


def test_retry_tells_of_jobs_that_cannot_be(shop: Shop) -> None:
    async def two(bench: Bench) -> list[str]:
        first = await bench.bring(Status.FAILED, unique_key="k")
        return [first, await bench.add(unique_key="k"), await bench.bring(Status.CANCELLED)]

    first, holder, _ = shop.one(two)
    result = shop.call("jobs", "retry", "--status", "failed", "--status", "cancelled", "--yes")
    assert (result.code, result.out) == (1, "1 job pending again.\n")
    assert "FM312" in result.err and holder in result.err and first in result.err


def test_off_a_terminal_it_wants_yes(shop: Shop) -> None:
    ids = shop.one(some)
    result = shop.call("jobs", "cancel", "--type", "mail", stdin="y\n")
    assert (result.code, result.out) == (2, "")
    assert "FM122" in result.err and "--yes" in result.err
    assert shop.read(ids["pending"]).status == "pending"


def test_on_a_terminal_it_asks(shop: Shop) -> None:
    ids = shop.one(some)
    shop.terminal = True
    no = shop.call("jobs", "cancel", "--type", "mail", stdin="n\n")
    assert (no.code, no.out) == (1, "")
    assert no.err.startswith("Cancel 1 job? [y/N]: ") and no.err.endswith("Nothing was changed.\n")
    assert shop.read(ids["pending"]).status == "pending"
    yes = shop.call("jobs", "cancel", "--type", "mail", stdin="y\n")
    assert (yes.code, yes.out) == (0, "1 job cancelled, or asked to end.\n")
    assert shop.read(ids["pending"]).status == "cancelled"


def test_where_nothing_fits_nobody_is_asked(shop: Shop) -> None:
    shop.one(some)
    shop.terminal = True
    assert shop.call("jobs", "retry", "--type", "nothing", stdin="").out == "0 jobs pending again.\n"


def test_what_comes_in_while_it_asks_is_left_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = shop.one(some)
    shop.terminal = True
    late = []

    def answer(*_: object, **__: object) -> bool:
        shop.clock.advance(1)
        late.append(shop.call("enqueue", "mail").out.strip())
        return True

    def ask_elsewhere(*_: object, **__: object) -> bool:
        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()
        return True

    monkeypatch.setattr("click.confirm", ask_elsewhere)
    assert shop.call("jobs", "cancel", "--type", "mail").code == 0
    assert shop.read(ids["pending"]).status == "cancelled"
    assert shop.read(late[0]).status == "pending"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cancel"], "Name jobs by id, or say which"),
        (["retry", "--yes"], "Name jobs by id, or say which"),
        (["cancel", UNKNOWN, "--type", "t"], "not both"),
        (["cancel", "--status", "completed", "--yes"], "waiting, scheduled, pending, processing"),
        (["retry", "--status", "pending", "--yes"], "failed, cancelled"),
    ],
)
def test_which_jobs_has_to_be_clear(shop: Shop, arguments: list[str], told: str) -> None:
    shop.do()
    result = shop.call("jobs", *arguments)
    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_a_filter_says_which_jobs_are_changed(shop: Shop) -> None:
    ids = shop.one(mails)
    result = shop.call("jobs", "retry", "payload.user.id:1,2", "--yes")
    assert (result.code, result.out) == (0, "1 job pending again.\n")
    result = shop.call("jobs", "retry", "status:cancelled", "tag:x", "--rate", "5/s", "--yes")
    assert (result.code, result.out) == (0, "1 job sent back at 5/s.\n")
    assert shop.call("jobs", "cancel", "type:echo", "--yes").out == "1 job cancelled, or asked to end.\n"
    assert [shop.read(id).status for id in ids] == [Status.PENDING, Status.CANCELLED, Status.PENDING]
    assert shop.call("jobs", "purge", "default", "-tag:x", "--yes").code == 2
    assert shop.call("jobs", "purge", "default", "--yes", "--", "-tag:x").out == "1 job cancelled.\n"
    assert [shop.read(id).status for id in ids] == [Status.PENDING, Status.CANCELLED, Status.CANCELLED]


def test_a_dry_run_says_how_many(shop: Shop) -> None:
    ids = shop.one(mails)
    result = shop.call("jobs", "retry", "status:failed,cancelled", "--dry-run")
    assert (result.code, result.out) == (0, "2 jobs would be changed.\n")
    assert shop.call("jobs", "cancel", "type:m*", "--dry-run", "--json").json == {"would_change": 1}
    assert shop.call("jobs", "purge", "default", "--dry-run").out == "1 job would be changed.\n"
    assert [shop.read(id).status for id in ids] == [Status.CANCELLED, Status.FAILED, Status.PENDING]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([UNKNOWN, "type:a"], "by id or by filters, not both"),
        (["payload.name:Anna", "B"], "A filter with spaces goes into quotes."),
        ([UNKNOWN, "--dry-run"], "A dry run is for many jobs"),
        ([], "type:greet"),
    ],
)
def test_ids_and_filters_are_told_apart(shop: Shop, arguments: list[str], told: str) -> None:
    shop.one(mails)
    result = shop.call("jobs", "retry", *arguments)
    assert (result.code, result.out) == (2, "")
    assert told in " ".join(result.err.split())


# -- delete --------------------------------------------------------------------------------------


def test_ended_jobs_are_deleted(shop: Shop) -> None:
    ids = shop.one(mails)
    result = shop.call("jobs", "delete", ids[0], ids[2])
    assert (result.code, result.out) == (1, f"{ids[0]} deleted\n")
    assert f"error FM409: Job {ids[2]} is pending." in result.err
    assert shop.call("jobs", "delete", "payload.user.id:1,2", "--yes").out == "1 job deleted.\n"
    assert [row[0] for row in shop.call("jobs", "ls").rows] == [ids[2]]
    assert shop.call("jobs", "delete", "status:pending", "--yes").code == 2
