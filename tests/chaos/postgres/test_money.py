"""Money moves on PostgreSQL while nodes and server are killed; and how such a run is judged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ferryman.domain.job import Job
from ferryman.domain.state import Status
from tests.chaos.postgres import money
from tests.chaos.postgres.moves import changes
from tests.chaos.transfers import ACCOUNTS, MONEY, Verdict, compared

JOBS = 90
EVERY = 15


def test_money_is_neither_made_nor_lost_under_kills_of_nodes_and_server(tmp_path: Path) -> None:
    found = money.run(tmp_path, JOBS, 4, every=EVERY)
    assert found.faults == []
    assert found.verdict == Verdict(JOBS, JOBS, JOBS, ())
    assert any(count for name, count in found.harms.items() if "node" in name)
    assert any(count for name, count in found.harms.items() if "server" in name)


# -- the judging -----------------------------------------------------------------------------------

ROW = ("a", 0, 1, 5)
MOVED = {0: MONEY - 5, 1: MONEY + 5}


def job(id: str, type: str, status: Status = Status.COMPLETED, transfer: str = "") -> Job:
    return Job(
        id=id,
        type=type,
        queue="default",
        priority=5,
        status=status,
        attempt=1,
        max_attempts=1,
        claim=1,
        payload=f'{{"transfer":"{transfer}"}}',
        result=None,
        error=None,
        run_at=None,
        created_at=0,
        started_at=0,
        finished_at=0,
        expires_at=None,
        worker_id=None,
        node=None,
        unique_key=None,
        tags=(),
    )


PAID = job("a", "transfer_on_loop")
RECEIPT = job("r", "receipt", transfer="a")


def accounts(moved: dict[int, int]) -> dict[int, int]:
    return dict.fromkeys(range(ACCOUNTS), MONEY) | moved


def test_one_row_and_one_receipt_for_each_completion_is_well() -> None:
    assert compared(accounts(MOVED), [ROW], [PAID, RECEIPT]) == Verdict(1, 1, 1, ())


@pytest.mark.parametrize(
    ("moved", "rows", "jobs", "wrong"),
    [
        ({0: MONEY - 5}, [ROW], [PAID, RECEIPT], "the accounts are not what the ledger says"),
        ({0: MONEY - 10, 1: MONEY + 10}, [ROW, ROW], [PAID, RECEIPT], "the ledger is not what was completed"),
        ({}, [], [PAID, RECEIPT], "the ledger is not what was completed"),
        (MOVED, [ROW], [PAID], "the receipts are not what was completed"),
        (MOVED, [ROW], [PAID, RECEIPT, RECEIPT], "the receipts are not what was completed"),
        ({}, [], [job("a", "transfer", Status.FAILED)], "some jobs have not completed"),
    ],
)
def test_what_does_not_agree_is_told(
    moved: dict[int, int], rows: list[tuple[str, int, int, int]], jobs: list[Job], wrong: str
) -> None:
    assert compared(accounts(moved), rows, jobs).wrong == (wrong,)


def test_transfers_that_are_missing_and_rows_that_are_left_are_told() -> None:
    found = money.Found(3, Verdict(2, 2, 2, ()), left={"claim": 1})
    assert list(money.judge(found)) == [
        "of 3 transfers 2 are completed, 2 in the ledger, 2 receipted",
        "1 rows are left in claim",
    ]
    assert not list(money.judge(money.Found(2, Verdict(2, 2, 2, ()))))


def test_harm_that_was_rare_is_told() -> None:
    found = money.Found(400, Verdict(0, 0, 0, ()), harms=Counter({"one": 9, "other": 0}))
    assert list(money.rare(found, every=20)) == ["only 0 times other, of 5 that are wanted"]
    assert not list(money.rare(found, every=101))


def test_accounts_are_changed_in_the_order_of_their_numbers() -> None:
    assert changes(1, 2, 5) == ((-5, 1), (5, 2))
    assert changes(2, 1, 5) == ((5, 1), (-5, 2))
