"""`ferryman dev`: real children, restarted at changes, ended in order."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import pytest

from ferryman.cli.changes import Changes
from ferryman.cli.dev import child_environment, serve_arguments, source_of
from ferryman.cli.reload import Reloader
from ferryman.cli.world import World
from ferryman.settings import TABLE

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds after which a process counts as hung."""
APP = """
import json, os
from ferryman import Ferryman
from neighbour import NAME
app = Ferryman()

@app.job
def noop() -> None: ...

with open("pids.jsonl", "a") as file:
    file.write(json.dumps({"pid": os.getpid(), "name": NAME, "log_jobs": os.environ.get("FERRYMAN_LOG_JOBS")}) + "\\n")
"""


class Dev:
    """`ferryman dev jobs.py` in a folder."""

    def __init__(self, folder: Path, arguments: Sequence[str], program: Sequence[str] = ("-m", "ferryman")) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if "FERRYMAN" not in name and name != "DATABASE_URL"}
        self.process = subprocess.Popen(
            [sys.executable, *program, "dev", *arguments],
            cwd=folder,
            env=clean,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self, starts: str, stream: str = "stdout") -> str:
        """The next line that starts so."""
        source: IO[str] | None = getattr(self.process, stream)
        assert source is not None
        for line in source:
            if line.startswith(starts):
                return line
        raise AssertionError(f"It ended before it said {starts}.")

    def listening(self) -> None:
        self.line("ferryman listening on ")

    def children(self) -> list[dict[str, Any]]:
        """What each child said of itself that loaded the file."""
        file = self.folder / "pids.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


Start = Callable[..., Dev]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "jobs.py").write_text(APP)
    (tmp_path / "neighbour.py").write_text("NAME = 'first'\n")
    begun: list[Dev] = []

    def start(*arguments: str, program: Sequence[str] = ("-m", "ferryman")) -> Dev:
        begun.append(Dev(tmp_path, ["--port", "0", *arguments, "jobs.py"], program))
        return begun[-1]

    yield start
    for each in begun:
        each.process.kill()
        each.process.wait()
        for stream in (each.process.stdout, each.process.stderr):
            assert stream is not None
            stream.close()
        for child in each.children():
            with suppress(ProcessLookupError):  # none should be left, but one that is would stay for good
                os.kill(child["pid"], signal.SIGKILL)


def test_a_change_of_a_neighbour_starts_the_app_again(start: Start, tmp_path: Path) -> None:
    dev = start()
    dev.listening()
    (tmp_path / "neighbour.py").write_text("NAME = 'another'\n")
    dev.listening()
    assert dev.line("ferryman dev", "stderr") == "ferryman dev: neighbour.py has changed; starting again.\n"
    first, second = dev.children()
    assert (first["name"], second["name"]) == ("first", "another")
    assert first["pid"] != second["pid"]
    assert first["log_jobs"] == "true"
    assert dev.end() == 0
    assert gone(second["pid"])


def test_without_watchfiles_changes_are_found_by_looking(start: Start, tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['watchfiles'] = None; from ferryman.cli import main; main()"
    dev = start("--no-log-jobs", program=("-c", hidden))
    dev.listening()
    (tmp_path / "ferryman.toml").write_text("worker_count = 3\n")
    dev.listening()
    assert "ferryman.toml has changed" in dev.line("ferryman dev", "stderr")
    assert {each["log_jobs"] for each in dev.children()} == {None}
    assert dev.end(signal.SIGTERM) == 0


def test_a_broken_file_is_reported_and_the_next_change_is_another_try(start: Start, tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("NAME = \n")
    dev = start()
    assert dev.line("error", "stderr") == "error FM111: jobs.py raised while it was imported.\n"
    assert dev.line("ferryman dev", "stderr") == "ferryman dev: It ended with exit code 2; waiting for a change.\n"
    (tmp_path / "neighbour.py").write_text("NAME = 'mended'\n")
    dev.listening()
    (tmp_path / "neighbour.py").write_text("NAME = \n")
    dev.line("ferryman dev: It ended", "stderr")
    assert dev.end() == 2, "the exit code of the last child"


def test_a_target_may_appear_later(tmp_path: Path, start: Start) -> None:
    text = (tmp_path / "jobs.py").read_text()
    (tmp_path / "jobs.py").unlink()
    dev = start()
    assert "FM110" in dev.line("error", "stderr")
    (tmp_path / "jobs.py").write_text(text)
    dev.listening()
    assert dev.end() == 0


def test_the_child_does_not_outlive_its_parent(start: Start) -> None:
    dev = start()
    dev.listening()
    [child] = dev.children()
    handle = os.pidfd_open(child["pid"])
    try:
        dev.process.kill()
        readable, _, _ = select.select([handle], [], [], PATIENCE)
        assert readable, "the child still runs"
    finally:
        os.close(handle)


def test_a_child_whose_parent_is_gone_already_does_not_begin(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ferryman.cli.offspring", "1234567", "version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# -- signals -------------------------------------------------------------------------------------


class Child:
    """Stands in for a process that ends when it is told to."""

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.asked = asyncio.Queue[None]()
        self.ended = asyncio.Event()

    def terminate(self) -> None:
        self.asked.put_nowait(None)

    def end(self, code: int) -> None:
        self.returncode = code
        self.ended.set()

    async def wait(self) -> int:
        await self.ended.wait()
        assert self.returncode is not None
        return self.returncode


async def soon(happens: Awaitable[T]) -> T:
    """Wait for what is to happen; where it does not, the test fails instead of hanging."""
    return await asyncio.wait_for(happens, PATIENCE)


class Stage:
    """A reloader with children that stand in, and changes that come when they are told to."""

    def __init__(self) -> None:
        self.children = asyncio.Queue[Child]()
        self.changes = asyncio.Queue[Path]()
        self.said = asyncio.Queue[str]()
        self.reloader = Reloader(self._start, self.changes.get, self.said.put_nowait)

    async def _start(self) -> Any:
        child = Child()
        self.children.put_nowait(child)
        return child


@pytest.mark.anyio
async def test_each_signal_is_passed_on_once_and_the_exit_code_is_the_childs() -> None:
    stage = Stage()
    running = asyncio.ensure_future(stage.reloader.run())
    child = await soon(stage.children.get())
    for _ in range(2):
        signal.raise_signal(signal.SIGINT)
        await soon(child.asked.get())
    assert not running.done(), "it waits for the child"
    child.end(4)
    assert await soon(running) == 4
    assert child.asked.empty() and stage.said.empty()


@pytest.mark.anyio
async def test_a_signal_while_nothing_runs_ends_it() -> None:
    stage = Stage()
    running = asyncio.ensure_future(stage.reloader.run())
    child = await soon(stage.children.get())
    child.end(-9)
    assert await soon(stage.said.get()) == "It ended with exit code 137; waiting for a change."
    signal.raise_signal(signal.SIGTERM)
    assert await soon(running) == 137


@pytest.mark.anyio
async def test_a_change_during_a_stop_starts_the_next_child_only_once_the_first_has_ended() -> None:
    stage = Stage()
    running = asyncio.ensure_future(stage.reloader.run())
    first = await soon(stage.children.get())
    stage.changes.put_nowait(Path("a.py"))
    await soon(first.asked.get())
    assert stage.children.empty()
    first.end(0)
    second = await soon(stage.children.get())
    assert await soon(stage.said.get()) == "a.py has changed; starting again."
    stage.changes.put_nowait(Path("b.py"))
    await soon(second.asked.get())
    second.end(0)
    third = await soon(stage.children.get())
    signal.raise_signal(signal.SIGINT)
    await soon(third.asked.get())
    third.end(0)
    assert await soon(running) == 0


# -- what the child is given ---------------------------------------------------------------------


def world(folder: Path, **environ: str) -> World:
    return World(environ=environ, folder=folder, now=lambda: 0.0, sqlite=(3, 51, 3))


def test_every_flag_is_passed_on() -> None:
    flags = {each.field: "True" if each.kind.flag else each.default for each in TABLE}
    passed = serve_arguments("jobs.py:app", flags)
    assert passed[:2] == ["serve", "--migrate"] and passed[-2:] == ["--", "jobs.py:app"]
    assert {part.partition("=")[0] for part in passed[2:-2]} == {each.flag for each in TABLE}
    assert serve_arguments(None, {"log_jobs": "False", "host": "--odd"})[2:] == ["--host=--odd", "--no-log-jobs"]


def test_log_jobs_is_on_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert child_environment(world(tmp_path, A="b"), {}) == {"A": "b", "FERRYMAN_LOG_JOBS": "true"}
    assert child_environment(world(tmp_path), {"log_jobs": "False"}) == {}
    assert child_environment(world(tmp_path, FERRYMAN_LOG_JOBS="no"), {}) == {"FERRYMAN_LOG_JOBS": "no"}
    (tmp_path / "ferryman.toml").write_text("log_jobs = false\n")
    assert child_environment(world(tmp_path), {}) == {}


def test_the_source_is_the_folder_of_the_target(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for target in (None, "shop.jobs", "jobs.py:app", "nowhere/jobs.py"):
        assert source_of(target, tmp_path) == tmp_path
    assert source_of("shop/jobs.py", tmp_path) == tmp_path / "shop"


# -- changes -------------------------------------------------------------------------------------


def changed(folder: Path, settings: Path, *steps: Callable[[], object]) -> list[str]:
    """The files that are told of, with a step after each look that found nothing; ends when the steps are used up."""
    left = list(steps)

    async def wait() -> None:
        if not left:
            raise EOFError
        left.pop(0)()

    async def collect() -> list[str]:
        changes, found = Changes(folder, settings, wait), list[str]()
        try:
            while True:
                found.append((await changes.next()).name)
        except EOFError:
            return found

    return asyncio.run(collect())


def test_python_files_below_the_folder_and_settings_files_count(tmp_path: Path) -> None:
    source, settings = tmp_path / "src", tmp_path / "here"
    for folder in (source / "deep", source / ".venv", source / "__pycache__", settings):
        folder.mkdir(parents=True)
    (source / "old.py").write_text("")

    def write(path: Path) -> Callable[[], object]:
        return lambda: path.write_text(f"{path}")

    assert changed(
        source,
        settings,
        write(source / "deep" / "new.py"),
        write(source / "notes.txt"),
        write(source / ".venv" / "hidden.py"),
        write(source / "__pycache__" / "cached.py"),
        write(source / "old.py"),
        write(settings / "pyproject.toml"),
        write(settings / "ferryman.toml"),
        write(settings / "elsewhere.py"),
        (source / "old.py").unlink,
        (source / "deep" / "new.py").touch,
    ) == ["new.py", "old.py", "pyproject.toml", "ferryman.toml", "old.py", "new.py"]


def test_a_change_before_the_first_look_is_not_lost(tmp_path: Path) -> None:
    async def never() -> None:
        raise AssertionError

    async def look() -> Path:
        changes = Changes(tmp_path, tmp_path, never)
        (tmp_path / "new.py").touch()
        return await changes.next()

    assert asyncio.run(look()) == tmp_path / "new.py"
