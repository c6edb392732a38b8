"""The guard tells once that the server accepts connections, and ends the server whatever happens to itself."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import guard as module
from tests.postgres.guard import FAILED, KILL, LOG, READY, Guard

PATIENCE = 60.0

LINE = b"LOG:  database system is ready to accept connections\n"


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([LINE], READY, id="at once"),
        pytest.param([LINE[at : at + 1] for at in range(len(LINE))], READY, id="byte by byte"),
        pytest.param([LINE, b"LOG:  a process crashed\n", LINE], READY, id="again after a crash"),
        pytest.param([b"LOG:  database system is starting up\n"], b"", id="not yet"),
    ],
)
def test_readiness_is_told_once(chunks: list[bytes], expected: bytes) -> None:
    answers, told = os.pipe()
    with subprocess.Popen(["true"]) as server, tempfile.TemporaryFile() as log:
        guard = Guard(server, 0, log.fileno(), told)
        for chunk in chunks:
            guard._note(chunk)
        os.close(told)
        assert os.read(answers, 10) == expected
        log.seek(0)
        assert log.read() == b"".join(chunks)
    os.close(answers)


FAMILY = """
import os, signal, sys
child = os.fork()
if child:
    print(os.getpid(), child, "database system is ready to accept connections", flush=True)
signal.pause()
"""
"""A server that never ends by itself, and a child of it."""


@pytest.fixture
def families() -> Iterator[list[int]]:
    """Process ids of families, which do not stay behind when a test fails."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)


def guarded(folder: Path, preparation: str = "") -> subprocess.Popen[bytes]:
    """A guard over such a server. `preparation` is run in it before."""
    code = f"import sys; sys.path[:0] = {sys.path!r}\nimport tests.postgres.guard as guard\n{preparation}\n"
    code += "sys.exit(guard.main(sys.argv[1:]))"
    ours = [str(os.getpid()), str(folder), "", "", sys.executable, "-c", FAMILY]
    return subprocess.Popen([sys.executable, "-c", code, *ours], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def family(folder: Path, guard: subprocess.Popen[bytes]) -> list[int]:
    """The processes of its server, once they are there."""
    assert guard.stdout is not None
    assert guard.stdout.read(1) == READY
    return [int(word) for word in (folder / LOG).read_text().split()[:2]]


def ended(pid: int) -> bool:
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([end], [], [], PATIENCE)[0])
    finally:
        os.close(end)


def order(guard: subprocess.Popen[bytes], what: bytes) -> int:
    """Have it done; gives the exit code of the guard."""
    guard.communicate(what, PATIENCE)
    return guard.returncode


def test_a_guard_that_cannot_go_on_ends_the_server_and_says_why(tmp_path: Path, families: list[int]) -> None:
    broken = "def obey(self, order): raise OSError(5, 'the disk is odd')\nguard.Guard._obey = obey"
    with guarded(tmp_path, broken) as guard:
        families += family(tmp_path, guard)
        assert order(guard, KILL) == FAILED
    assert all(ended(pid) for pid in families)
    assert "the disk is odd" in (tmp_path / LOG).read_text()


def test_processes_that_vanish_while_they_are_counted_are_no_trouble(tmp_path: Path, families: list[int]) -> None:
    gone = "import os; real = os.listdir; guard.os.listdir = lambda path: ['0', '4194304', *real(path), 'self']"
    with guarded(tmp_path, gone) as guard:
        families += family(tmp_path, guard)
        assert order(guard, KILL) == 128 + 9
    assert all(ended(pid) for pid in families)


def test_without_a_list_of_processes_the_first_one_is_killed(tmp_path: Path, families: list[int]) -> None:
    none = "def listdir(path): raise OSError(3, 'no such process')\nguard.os.listdir = listdir"
    with guarded(tmp_path, none) as guard:
        first, second = family(tmp_path, guard)
        families += [first, second]
        assert guard.stdin is not None
        guard.stdin.write(KILL)
        guard.stdin.flush()
        assert ended(first)
        os.kill(second, 9)  # PostgreSQL's notice by themselves
        assert guard.wait(PATIENCE) == 128 + 9


def test_to_kill_a_server_that_has_just_ended_is_no_trouble() -> None:
    with subprocess.Popen(["true"]) as server:
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        module._kill(server)
    assert server.returncode == 0


def test_whose_child_a_process_is() -> None:
    assert module._parent_of(os.getpid()) == os.getppid()
    assert module._parent_of(4194304) is None
