"""The examples in README and docs work: they are taken from the pages and run.

A fence says by its second word what it is: `file=NAME` is written to a file, `run` is run by itself, `server` is run
while the page's app is served, `mistake` is made by test_mistakes.py. Everything else is there to be read.

Programs in other languages are run where those languages are installed, each against a server of its own.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RUNNERS = {"python": [sys.executable, "-c"], "bash": ["bash", "-euo", "pipefail", "-c"]}
OTHERS = {"js": ("letters.mjs", ["node"]), "go": ("letters.go", ["go", "run"])}
"""The file in which a program of another language stands, and what runs that file."""
PATIENCE = 120
"""Seconds after which an example counts as hung."""


class Example(msgspec.Struct, frozen=True):
    page: str
    language: str
    mark: str
    text: str


ADD_API_KEY = Example("", "bash", "run", "ferryman api-keys add letters --scope enqueue --scope read")
EXAMPLES = [
    Example(page.relative_to(ROOT).as_posix(), *found)
    for page in PAGES
    for found in FENCE.findall(page.read_text(encoding="utf-8"))
]


def of_page(page: str, mark: str) -> list[Example]:
    return [each for each in EXAMPLES if each.page == page and each.mark.startswith(mark)]


def environment() -> dict[str, str]:
    """Ours, with the tools of this Python first and without settings."""
    ours = {name: value for name, value in os.environ.items() if "FERRYMAN" not in name and name != "DATABASE_URL"}
    for bare in ("PORT", "WORKER_COUNT", "JOB_QUEUE_CAPACITY"):
        ours.pop(bare, None)
    return ours | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(example: Example, folder: Path, port: str = "8080", **more: str) -> str:
    """What an example prints; `more` is what its environment has besides."""
    text = example.text.replace(":8080", f":{port}")
    if example.language in OTHERS:
        file, runner = OTHERS[example.language]
        (folder / file).write_text(text)
        command = [*runner, file]
    else:
        command = [*RUNNERS[example.language], text]
    done = subprocess.run(
        command, cwd=folder, env=environment() | more, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{example.page}:\n{example.text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def served(target: Path, folder: Path) -> Iterator[str]:
    """The port at which `target` is served."""
    command = [sys.executable, "-m", "ferryman", "serve", str(target), "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            found = re.fullmatch(r"ferryman listening on http://127\.0\.0\.1:(\d+)\n", ready)
            assert found is not None, ready
            yield found[1]
        finally:
            server.terminate()
            assert server.wait(PATIENCE) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    name = page.relative_to(ROOT).as_posix()
    for example in of_page(name, "file="):
        (tmp_path / example.mark.removeprefix("file=")).write_text(example.text)
    live = [each for each in of_page(name, "server") if each.language in RUNNERS]
    if any(each.language == "bash" for each in live) and shutil.which("curl") is None:
        pytest.skip("The examples call curl, which is not installed.")
    if live:
        target = tmp_path / "jobs.py"
        with served(target if target.exists() else ROOT / "examples" / "basics.py", tmp_path) as port:
            for example in live:
                run(example, tmp_path, port)
    elif of_page(name, "run"):
        subprocess.run(
            [sys.executable, "-c", "import sqlite3; sqlite3.connect('ferryman.db')"], cwd=tmp_path, check=True
        )
    for example in of_page(name, "run"):
        run(example, tmp_path)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What has Go build without the network, and leave nothing behind; the second build takes from the first."""
    cache = str(tmp_path_factory.mktemp("go"))
    return {"GOCACHE": cache, "GOPATH": cache, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}


@pytest.mark.parametrize("guarded", [False, True], ids=["open to all", "with an API key"])
@pytest.mark.parametrize("language", OTHERS)
def test_programs_in_other_languages_run(language: str, guarded: bool, tmp_path: Path, offline: dict[str, str]) -> None:
    program = OTHERS[language][1][0]
    if shutil.which(program) is None:
        pytest.skip(f"The example in {language} needs {program}, which is not installed.")
    [example] = [each for each in of_page("docs/http.md", "server") if each.language == language]
    more = dict(offline)
    if guarded:
        more["FERRYMAN_API_KEY"] = run(ADD_API_KEY, tmp_path).strip()
    with served(ROOT / "examples" / "basics.py", tmp_path) as port:
        first, again = (run(example, tmp_path, port, **more) for _ in range(2))
    assert first.splitlines() == [
        *(f'completed {{"letter":{number}}}' for number in (1, 2, 3)),
        "FM310 No node has ever registered the type ecko. Did you mean echo?",
        *(f'listed {{"letter":{number}}}' for number in (1, 2, 3)),
    ]
    assert again == first, "the same request is the same job"


def test_the_quick_start_says_good_morning(tmp_path: Path) -> None:
    [declared] = of_page("README.md", "file=")
    (tmp_path / "jobs.py").write_text(declared.text)
    [first] = [each for each in of_page("README.md", "server") if each.language == "python"]
    with served(tmp_path / "jobs.py", tmp_path) as port:
        assert run(first, tmp_path, port) == "Good morning, Ada!\n"


def test_marks_are_known_and_what_is_not_run_is_at_least_python() -> None:
    for example in EXAMPLES:
        assert re.fullmatch(r"|run|server|mistake|file=\w+\.py", example.mark), example
        assert not example.mark.startswith(("run", "server")) or example.language in RUNNERS | OTHERS
        if example.language == "python":
            ast.parse(example.text)
    assert {each.page for each in EXAMPLES if each.mark == "server"} == {
        "README.md",
        "docs/cron.md",
        "docs/handlers.md",
        "docs/hooks.md",
        "docs/http.md",
        "docs/flow.md",
        "docs/jobs.md",
        "docs/remote.md",
        "docs/transactions.md",
    }
