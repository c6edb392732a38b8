"""The recipes of docs/recipes.md run: each in its own processes, as its first lines say."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import types
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ferryman import Ferryman
from tests.test_examples import environment

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PATIENCE = 60
"""Seconds after which a recipe counts as hung."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The examples, in a folder of their own."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("*.db*", "__pycache__")))


@contextmanager
def program(folder: Path, *command: str, fd: int | None = None, code: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A program of this Python in a folder; at the end it is told to stop, and has to end with `code`."""
    log = folder / f"{command[0]}.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment() | {"PYTHONPATH": f"{ROOT / 'src'}"},
            pass_fds=() if fd is None else (fd,),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            ended = process.wait(PATIENCE)
    assert ended == code, log.read_text()


@contextmanager
def website(folder: Path, *command: str, code: int = 0) -> Iterator[str]:
    """A web server, by its URL. Its socket listens before it starts, so nobody waits for it to be ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        server = program(folder, *(part.format(fd=fd) for part in command), fd=fd, code=code)
        with server:
            listener.close()  # the server's from now on: when it is gone, requests fail at once
            yield f"http://127.0.0.1:{port}"


@contextmanager
def working(folder: Path, target: str, *flags: str) -> Iterator[None]:
    """`ferryman work`, once it works."""
    with program(folder, "ferryman", "work", target, *flags) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ferryman working"), (folder / "ferryman.log").read_text()
        yield


def ask(url: str, form: dict[str, str] | None = None) -> tuple[int, Any]:
    """A request: GET, or POST with a form."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def result_of(job: str, folder: Path) -> Any:
    """What a job gave, awaited from outside."""
    with Ferryman(f"sqlite:///{folder}/ferryman.db") as app:

        @app.job
        def anything() -> Any: ...

        return anything.handle(job).result(PATIENCE)


# -- web frameworks --------------------------------------------------------------------------------

UVICORN = ("uvicorn", "--fd", "{fd}")
UVICORN_STOPPED = -signal.SIGTERM
"""uvicorn stops in order, then raises the signal again."""
GUNICORN = ("gunicorn", "--bind", "fd://{fd}", "--workers", "2", "--preload")


def test_fastapi_runs_its_jobs_itself_and_mounts_the_api(folder: Path) -> None:
    with website(folder, *UVICORN, "with_fastapi:site", code=UVICORN_STOPPED) as url:
        status, accepted = ask(f"{url}/pictures/moon?width=32", {})
        assert status == 202
        assert ask(f"{url}/thumbnails/{accepted['job']}") == (200, {"picture": "moon-32px"})
        status, job = ask(f"{url}{accepted['see']}")
        assert (status, job["status"], job["result"]) == (200, "completed", "moon-32px")
        assert ask(f"{url}/queue/readyz") == (200, {"status": "ok"})
        page = urllib.request.urlopen(f"{url}/queue/jobs?limit=1", timeout=PATIENCE)
        with page:
            assert [each["id"] for each in json.load(page)] == [accepted["job"]]


def test_fastapi_only_enqueues_and_others_work(folder: Path) -> None:
    with website(folder, *UVICORN, "with_fastapi_apart:site", code=UVICORN_STOPPED) as url:
        _, accepted = ask(f"{url}/pictures/moon?width=32", {})
        assert ask(f"{url}/pictures/{accepted['job']}") == (200, {"status": "pending"})
        with working(folder, "with_fastapi_apart.py"):
            assert result_of(accepted["job"], folder) == "moon-32px"
        assert ask(f"{url}/pictures/{accepted['job']}") == (200, {"status": "completed"})


def test_flask_enqueues_in_a_view(folder: Path) -> None:
    with website(folder, *GUNICORN, "with_flask:site") as url, working(folder, "with_flask.py"):
        first = ask(f"{url}/orders/7/invoice", {"to": "ada@example.com"})
        assert ask(f"{url}/orders/7/invoice", {"to": "ada@example.com"}) == first  # two clicks, one job
        status, accepted = first
        assert status == 202
        assert result_of(accepted["job"], folder) == "The invoice for order 7 went to ada@example.com."
        assert ask(f"{url}/invoices/{accepted['job']}") == (200, {"status": "completed"})
        assert ask(f"{url}/invoices/01890a5d-ac96-774b-bcce-b302099a8057")[0] == 404


# -- Django ----------------------------------------------------------------------------------------

DJANGO = ("django", "migrate", "--run-syncdb", "--settings", "mysite.settings", "--pythonpath", ".", "--verbosity", "0")


@pytest.fixture
def django_folder(folder: Path) -> Path:
    run_python(folder, "-m", *DJANGO)
    return folder


def run_python(folder: Path, *command: str) -> str:
    """A program of this Python that ends by itself, by what it printed."""
    env = environment() | {"PYTHONPATH": f"{ROOT / 'src'}"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_django_enqueues_at_the_commit_and_the_handler_uses_the_orm(django_folder: Path) -> None:
    with website(django_folder, *GUNICORN, "mysite.wsgi") as url, working(django_folder, "mysite.jobs"):
        status, bought = ask(f"{url}/buy/lamp", {})
        assert status == 202
        [job] = ids_in(django_folder)
        assert result_of(job, django_folder) == "Thank you for buying lamp."
        assert ask(f"{url}/receipts/{bought['order']}") == (200, {"receipt": "Thank you for buying lamp."})


def test_a_django_transaction_that_is_rolled_back_enqueues_nothing(django_folder: Path) -> None:
    script = """
from mysite.jobs import app
from mysite.views import buy
from django.db import transaction
from django.test import RequestFactory
for fails in (True, False):
    try:
        with transaction.atomic():
            buy(RequestFactory().post("/buy/lamp"), "lamp")
            assert not fails
    except AssertionError:
        pass
app.close()
"""
    run_python(django_folder, "-c", script)
    assert len(ids_in(django_folder)) == 1


def ids_in(folder: Path) -> list[str]:
    """Every job of a folder's database."""
    script = "import sqlite3; print(*(id for id, in sqlite3.connect('ferryman.db').execute('SELECT id FROM job')))"
    return run_python(folder, "-c", script).split()


# -- scripts and notebooks -------------------------------------------------------------------------


def test_a_plain_script_waits_for_its_results(folder: Path) -> None:
    with working(folder, "plain_script.py"):
        printed = run_python(folder, "plain_script.py")
    assert printed == "6 words: 'To be, or not to be'\n4 words: 'that is the question'\n0 words: ''\n"


CELL = re.compile(r"^```(python|output|error)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


class Notebook:
    """Runs cells on a loop that is always running, as IPython does."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    async def run(self, cell: str) -> object:
        """Run one cell; gives the value of its last line, if that is an expression."""
        tree = ast.parse(cell)
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
            ast.fix_missing_locations(tree)
        else:
            self.names["_"] = None
        code = compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = types.FunctionType(code, self.names)()
        if asyncio.iscoroutine(done):
            await done
        return self.names["_"]


@pytest.mark.anyio
async def test_the_cells_of_the_notebook_say_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook, said = Notebook(), ""
    cells = CELL.findall((EXAMPLES / "notebook.md").read_text())
    for kind, text in cells:
        if kind != "python":
            assert said == text
            continue
        try:
            said = str(await notebook.run(text))
        except Exception as error:  # a cell shows whatever comes
            said = f"{type(error).__name__}: {error}"
    assert [kind for kind, _ in cells].count("error") == 1
    notebook.names["app"].close()


RECIPES = ("with_*", "plain_*", "notebook*", "mysite")


# -- the page --------------------------------------------------------------------------------------


def test_what_the_page_shows_is_in_the_files_that_run() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text()
    shown = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    files = [path.read_text() for path in EXAMPLES.rglob("*.py")] + [(EXAMPLES / "notebook.md").read_text()]
    assert len(shown) >= 6
    for excerpt in shown:
        assert any(excerpt in text for text in files), excerpt


def test_the_page_names_every_recipe() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text()
    recipes = {path.name for pattern in RECIPES for path in EXAMPLES.glob(pattern)}
    assert len(recipes) >= len(RECIPES)
    assert {name for name in recipes if f"../examples/{name}" not in page} == set()


# -- prefork ---------------------------------------------------------------------------------------


def test_forked_web_workers_enqueue_each_request_once_while_two_nodes_work(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "prefork.py"), "--requests", "200", "--folder", str(tmp_path)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    figures = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert figures == {"accepted": "200", "runs": "200", "doubled": "0", "lost": "0"}
