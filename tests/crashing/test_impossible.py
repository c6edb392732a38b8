"""Where `crash_test` has nothing to compare with, or nowhere to run, it says so. Nobody is ever left behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman import Ferryman
from ferryman.calls import Call
from ferryman.crashing import crash_test
from ferryman.domain.errors import AlreadyTesting, BadOption, CrashTestImpossible, SyncInsideLoop
from tests.crashing.bank import Bank

PATIENCE = 60
"""Seconds after which a process counts as left behind."""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where trials have their folders: all are gone in the end, and so are all processes."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = children()
    yield folder
    assert list(folder.iterdir()) == []
    assert children() <= before


def children() -> set[str]:
    """The processes of this one that are there, or not yet waited for: others' tests may have a server."""
    return {id for each in Path("/proc/self/task").glob("*/children") for id in each.read_text().split()}


@pytest.fixture
def pay(app: Ferryman, bank: Bank) -> Call[None]:
    @app.job
    def pay(amount: int) -> None:
        bank.charge(amount, key="once")

    return pay.call(5)


# -- nothing to compare with -----------------------------------------------------------------------


def test_an_effect_in_memory_cannot_be_seen(app: Ferryman) -> None:
    paid: list[int] = []

    @app.job
    def pay(amount: int) -> None:
        paid.append(amount)

    with pytest.raises(CrashTestImpossible, match=r"FM319: Nothing has changed: paid, jobs.*memory is gone"):
        crash_test(app, pay.call(5), effects={"paid": lambda _: len(paid)})


def test_a_job_that_fails_by_itself(app: Ferryman) -> None:
    @app.job(max_attempts=1)
    def pay(amount: int) -> None:
        raise ValueError("no money")

    with pytest.raises(CrashTestImpossible, match="the job is failed: FM501 ValueError: no money"):
        crash_test(app, pay.call(5), effects={})


def test_a_job_that_comes_to_no_end(app: Ferryman) -> None:
    @app.job
    async def pay(amount: int) -> None:
        await asyncio.Event().wait()

    with pytest.raises(CrashTestImpossible, match=r"nothing disturbed it: not at rest after 0\.5 s"):
        crash_test(app, pay.call(5), effects={}, timeout=0.5)


def test_a_job_that_takes_its_node_along(app: Ferryman, bank: Bank) -> None:
    @app.job
    def pay(amount: int) -> None:
        bank.die()

    with pytest.raises(CrashTestImpossible, match="the node's process ended by itself"):
        crash_test(app, pay.call(5), effects={})


def test_a_node_that_cannot_start(app: Ferryman, pay: Call[None]) -> None:
    @app.on_startup
    def connect() -> None:
        raise OSError("no bank")

    with pytest.raises(CrashTestImpossible, match=r"FM113: .*no bank"):
        crash_test(app, pay, effects={})


def test_effects_that_all_trials_share(app: Ferryman, bank: Bank, pay: Call[None], tmp_path: Path) -> None:
    bank.open(tmp_path / "shared.db")
    with pytest.raises(CrashTestImpossible, match="The effect 'charges' is 1 before trial 1, and was 0 at first"):
        crash_test(app, pay, effects={"charges": bank.count})


def test_a_connection_that_setup_leaves_open(app: Ferryman, pay: Call[None]) -> None:
    opened: list[sqlite3.Connection] = []

    def setup(database: Path) -> None:
        opened.append(sqlite3.connect(database))
        opened[0].execute("PRAGMA user_version")

    with pytest.raises(CrashTestImpossible, match=r"setup\(\) left a connection to the database open"):
        crash_test(app, pay, setup=setup, effects={})
    opened[0].close()


def test_an_effect_that_cannot_be_asked_names_itself(app: Ferryman, bank: Bank, pay: Call[None]) -> None:
    def ledger(database: Path) -> int:
        raise LookupError("no such table")

    with pytest.raises(LookupError) as raised:
        crash_test(app, pay, setup=bank.open, effects={"ledger": ledger})
    assert raised.value.__notes__ == ["crash_test asked for the effect 'ledger' before the job."]


# -- wrong arguments, wrong place ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"effects": {"jobs": len}}, "effects has one named jobs"),
        ({"effects": {"charges": 1}}, r"effects\['charges'\] cannot be 1"),
        ({"effects": {"text": lambda _: "a line"}}, "what the effect 'text' returns cannot be 'a line'"),
        ({"most": 0}, "most cannot be 0"),
        ({"most": True}, "most cannot be True"),
        ({"timeout": -1}, "timeout cannot be -1"),
        ({"call": "pay"}, "call cannot be 'pay'"),
    ],
)
def test_a_bad_argument_is_named(app: Ferryman, pay: Call[None], wrong: dict[str, Any], text: str) -> None:
    arguments: dict[str, Any] = {"call": pay, "effects": {}} | wrong
    with pytest.raises(BadOption, match=text):
        crash_test(app, arguments.pop("call"), **arguments)


def test_the_call_of_another_app(pay: Call[None]) -> None:
    with pytest.raises(CrashTestImpossible, match="The app has no job of type pay"):
        crash_test(Ferryman(), pay, effects={})


@pytest.mark.anyio
async def test_inside_a_loop(app: Ferryman, pay: Call[None]) -> None:
    with pytest.raises(SyncInsideLoop, match="Call it in a test that is written with `def`"):
        crash_test(app, pay, effects={})


def test_inside_app_testing(app: Ferryman, pay: Call[None]) -> None:
    with app.testing(), pytest.raises(AlreadyTesting):
        crash_test(app, pay, effects={})


def test_without_fork(app: Ferryman, pay: Call[None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(CrashTestImpossible, match="cannot fork"):
        crash_test(app, pay, effects={})


# -- nobody is left behind -------------------------------------------------------------------------


def test_the_folder_of_a_trial_is_gone_before_the_next_one(app: Ferryman, bank: Bank, pay: Call[None]) -> None:
    found: list[int] = []

    def setup(database: Path) -> None:
        bank.open(database)
        found.append(len(list(database.parent.parent.iterdir())))

    crash_test(app, pay, setup=setup, effects={"charges": bank.count}, most=1)
    assert len(found) > 2
    assert len(set(found)) == 1, found


def has_ended(pid: int) -> bool:
    """Whether a process has ended, or does so now: a kill takes a moment."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([descriptor], [], [], PATIENCE)
    os.close(descriptor)
    return bool(ended)


def test_what_handlers_started_ends_with_the_trial(app: Ferryman, bank: Bank) -> None:
    pids = Path("pids").absolute()

    @app.job
    def pay(amount: int) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        with pids.open("a") as file:
            file.write(f"{os.getpid()} {child.pid}\n")
        bank.charge(amount, key="once")

    crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count}, most=1)
    found = [int(pid) for pid in pids.read_text().split()]
    assert len(found) >= 2 * 3, "in the undisturbed run, in the killed one, in the overtaken one"
    assert all(has_ended(pid) for pid in found)


def test_ctrl_c_ends_them_all(app: Ferryman, bank: Bank) -> None:
    pids = Path("pids").absolute()

    @app.job
    async def pay(amount: int) -> None:
        pids.write_text(str(os.getpid()))
        os.kill(os.getppid(), signal.SIGINT)
        await asyncio.Event().wait()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs in the background may ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            crash_test(app, pay.call(5), setup=bank.open, effects={"charges": bank.count})
    finally:
        signal.signal(signal.SIGINT, before)
    assert has_ended(int(pids.read_text()))


def test_they_die_with_the_process_that_tests(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import asyncio, os\n"
        "from ferryman import Ferryman\n"
        "from ferryman.crashing import crash_test\n"
        "app = Ferryman()\n"
        "@app.job\n"
        "async def pay() -> None:\n"
        "    print(os.getpid(), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "crash_test(app, pay.call(), effects={})\n"
    )
    command = [sys.executable, str(tmp_path / "run.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=home(tmp_path)) as run:
        assert run.stdout is not None
        node = int(run.stdout.readline())
        run.kill()
    assert has_ended(node)


def home(folder: Path) -> dict[str, str]:
    """An environment whose temporary files are the test's."""
    (folder / "other").mkdir()
    return os.environ | {"TMPDIR": str(folder / "other")}
