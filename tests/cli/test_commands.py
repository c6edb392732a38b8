"""The commands as people call them: what they print, where, and with which exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec
import pytest

from ferryman import cli
from ferryman.app import Ferryman
from ferryman.cli import main
from ferryman.cli.group import LazyGroup
from ferryman.cli.world import World
from ferryman.domain.errors import PortInUse, StoreFailed
from ferryman.settings import TABLE, Settings
from ferryman.supervise.role import Role
from ferryman.version import VERSION

NOW = 1_800_000_000.0
Version = tuple[int, int, int]
SAFE = (3, 51, 3)
APP = "from ferryman import Ferryman\napp = Ferryman(worker_count=3)\n@app.job\ndef hello() -> None: ...\n"


class Result(msgspec.Struct):
    code: int
    out: str
    err: str


Call = Callable[..., Result]


class Runs:
    """Stands in for the node: notes what it was asked to serve."""

    def __init__(self) -> None:
        self.served: list[tuple[Settings, Ferryman]] = []
        self.roles: list[Role] = []
        self.answer: int | Exception = 0

    def __call__(self, settings: Settings, app: Ferryman, role: Role) -> int:
        self.served.append((settings, app))
        self.roles.append(role)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: Runs) -> Call:
    def call(
        *arguments: str, environ: Mapping[str, str] | None = None, now: float = NOW, sqlite: Version = SAFE
    ) -> Result:
        world = World(environ=environ or {}, folder=tmp_path, now=lambda: now, sqlite=sqlite, run=runs)
        with pytest.raises(SystemExit) as caught:
            main(arguments, world)
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Result(caught.value.code, out, err)

    return call


@pytest.fixture
def target(tmp_path: Path) -> str:
    """A file of its own name per test, so that no module is met twice."""
    name = re.sub(r"\W", "_", tmp_path.name)
    (tmp_path / f"{name}.py").write_text(APP)
    return f"{name}.py"


# -- serve ---------------------------------------------------------------------------------------


def test_serve_hands_settings_and_app_to_the_node_and_exits_with_its_code(call: Call, runs: Runs, target: str) -> None:
    runs.answer = 4
    result = call("serve", target, "--port", "0", "--log-jobs", environ={"FERRYMAN_PORT": "1", "FERRYMAN_BEAT": "1"})
    assert (result.code, result.out, result.err) == (4, "", "")
    [(settings, app)] = runs.served
    assert settings == Settings(port=0, log_jobs=True, beat=1.0, worker_count=3)
    assert app.registry.types == {"hello"}


def test_serve_has_a_flag_for_every_setting(call: Call, runs: Runs, target: str) -> None:
    arguments: list[str] = []
    for each in TABLE:
        if each.kind.flag:
            arguments.append(each.flag if each.default == "true" else f"--no-{each.flag[2:]}")
        else:
            arguments += [each.flag, each.default]
    assert call("serve", target, *arguments).code == 0
    [(settings, _)] = runs.served
    assert settings == Settings()


def test_serve_help_names_every_flag_and_variable(call: Call) -> None:
    result = call("serve", "--help")
    assert result.code == 0
    words = result.out.replace("\n", " ").split()
    for each in TABLE:
        assert each.flag in words or f"{each.flag}" in result.out
        assert any(each.variable in word for word in words)


@pytest.mark.parametrize(
    ("error", "code"),
    [(PortInUse("Port 80 is taken.", hint="Choose another."), 3), (StoreFailed("The disk is gone."), 3)],
)
def test_what_the_environment_refuses_is_exit_3_without_a_traceback(
    call: Call, runs: Runs, target: str, error: PortInUse | StoreFailed, code: int
) -> None:
    runs.answer = error
    result = call("serve", target)
    assert result.code == code
    assert f"error {error.code}: {error.what}" in result.err
    assert "Traceback" not in result.err


def test_a_bad_flag_is_exit_2_with_what_why_and_what_to_do(call: Call, runs: Runs, target: str) -> None:
    result = call("serve", target, "--port", "http")
    assert result.code == 2
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0] == "error FM101: --port is 'http', which is not allowed."
    assert lines[1].startswith("  why: It is not a whole number. It has to be a whole number from 0 to 65535")
    assert lines[2].startswith("  do:  Give it such a value")
    assert lines[3].endswith("#FM101")
    assert runs.served == []


def test_a_missing_target_is_exit_2(call: Call) -> None:
    result = call("serve", "nothing.py")
    assert result.code == 2
    assert result.err.startswith("error FM110: There is no file nothing.py.\n")


# -- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["srve"], "There is no command 'srve'. Did you mean serve?"),
        (["dance"], f"There is no command 'dance'. The commands are: {', '.join(cli.COMMANDS)}."),
        (["serve", "--prt", "1"], "--prt"),
        (["serve", "--port"], "--port"),
        (["config", "extra.py", "more.py"], "more.py"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_exit_2_and_names_the_near_thing(call: Call, arguments: Sequence[str], told: str) -> None:
    result = call(*arguments)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert told in result.err
    assert "--help" in result.err


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_the_help_lists_every_command_with_a_line(call: Call, arguments: Sequence[str]) -> None:
    result = call(*arguments)
    assert result.code == 0
    for name, (_, text) in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text[:30])}", result.out, re.MULTILINE)


def commands(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words by which each command is called, also those below others."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            yield (*path, name)
            command = group.get_command(context, name)
            if isinstance(command, LazyGroup):
                yield from commands(command, (*path, name))


@pytest.mark.parametrize("words", list(commands(cli.group)), ids=" ".join)
def test_every_command_explains_itself(call: Call, words: Sequence[str]) -> None:
    result = call(*words, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: ferryman {' '.join(words)}")
    assert "\\b" not in result.out, "examples keep their lines by the character, not by the two that spell it"


# -- config --------------------------------------------------------------------------------------


def test_config_shows_each_value_with_its_source(call: Call, tmp_path: Path) -> None:
    (tmp_path / "ferryman.toml").write_text("beat = '1s'\n")
    result = call("config", "--port", "1", environ={"WORKER_COUNT": "7"})
    assert result.code == 0
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in result.out.splitlines()}
    assert list(rows) == [each.name for each in TABLE]
    assert rows["PORT"] == "1 flag --port"
    assert rows["WORKER_COUNT"] == "7 environment WORKER_COUNT"
    assert rows["BEAT"] == "1s file ferryman.toml"
    assert rows["LEASE"] == "10s default"


def test_config_as_json_has_plain_values(call: Call) -> None:
    shown = json.loads(call("config", "--json", "--queues", "mail:4,default").out)
    assert list(shown) == [each.name for each in TABLE]
    assert shown["PORT"] == {"value": 8080, "source": "default"}
    assert shown["QUEUES"] == {"value": [["mail", 4], ["default", None]], "source": "flag --queues"}
    assert shown["RETENTION"]["value"] == {"completed": 86400, "failed": 1209600, "cancelled": 1209600}


def test_config_of_a_target_shows_the_arguments_of_its_app(call: Call, target: str) -> None:
    shown = json.loads(call("config", target, "--json").out)
    assert shown["WORKER_COUNT"] == {"value": 3, "source": "argument of Ferryman()"}


def test_config_with_a_bad_value_is_exit_2(call: Call) -> None:
    result = call("config", environ={"FERRYMAN_LOG_LEVEL": "loud"})
    assert (result.code, result.out) == (2, "")
    assert "FERRYMAN_LOG_LEVEL is 'loud'" in result.err


# -- check ---------------------------------------------------------------------------------------


def levels(result: Result) -> dict[str, str]:
    return {finding["about"]: finding["level"] for finding in json.loads(result.out)}


def test_check_is_content_with_a_sound_setup(call: Call, target: str, tmp_path: Path) -> None:
    result = call("check", target, "--json", environ={"DATABASE_URL": f"sqlite:///{tmp_path}/jobs.db"})
    assert result.code == 0
    assert levels(result) == {"target": "ok", "settings": "ok", "database": "ok", "sqlite": "ok", "clock": "ok"}
    assert not (tmp_path / "jobs.db").exists()


def test_check_tells_everything_that_is_wrong_at_once(call: Call, tmp_path: Path) -> None:
    result = call(
        "check",
        "nothing.py",
        environ={"PORT": "x", "FERRYMAN_COLOUR": "red", "DATABASE_URL": f"sqlite:///{tmp_path}"},
        now=0.0,
    )
    assert result.code == 1
    for told in ("FM110", "PORT is 'x'", "FERRYMAN_COLOUR", "FM201", "1970-01-01"):
        assert told in result.out
    assert result.err == ""


@pytest.mark.parametrize(
    ("path", "code"),
    [("missing/jobs.db", "FM203"), ("text.db", "FM204"), ("folder", "FM201"), ("other.db", "FM204")],
)
def test_check_looks_at_the_database(call: Call, target: str, tmp_path: Path, path: str, code: str) -> None:
    (tmp_path / "text.db").write_text("This is no database, and long enough for SQLite to see it. " * 100)
    (tmp_path / "folder").mkdir()
    make_foreign_database(tmp_path / "other.db")
    result = call("check", target, "--json", environ={"DATABASE_URL": f"sqlite:///{tmp_path}/{path}"})
    assert result.code == 1
    [database] = [finding for finding in json.loads(result.out) if finding["about"] == "database"]
    assert (database["level"], database["code"]) == ("error", code)
    assert database["hint"]


def test_check_warns_of_jobs_in_memory_and_still_exits_0(call: Call, target: str) -> None:
    result = call("check", target, "--json", environ={"DATABASE_URL": "memory://"})
    assert (result.code, levels(result)["database"]) == (0, "warning")


@pytest.mark.parametrize(("sqlite", "level"), [((3, 51, 3), "ok"), ((3, 51, 2), "warning"), ((3, 37, 2), "error")])
def test_check_judges_the_version_of_sqlite(call: Call, target: str, sqlite: Version, level: str) -> None:
    result = call("check", target, "--json", sqlite=sqlite)
    assert (result.code, levels(result)["sqlite"]) == (1 if level == "error" else 0, level)


# -- version -------------------------------------------------------------------------------------


def test_version_tells_what_a_report_needs(call: Call) -> None:
    assert call("--version").out == f"ferryman {VERSION}\n"
    assert re.fullmatch(rf"ferryman {re.escape(VERSION)}\npython [\d.]+\S*\nsqlite 3\.51\.3\n", call("version").out)
    assert list(json.loads(call("version", "--json").out)) == ["ferryman", "python", "sqlite"]


def make_foreign_database(path: Path) -> None:
    import sqlite3  # noqa: PLC0415 - only this helper makes a file of another program

    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()


# -- work and its processes ------------------------------------------------------------------------


def test_serve_has_http_and_work_has_not(call: Call, runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "shop_jobs.py").write_text(APP)
    assert call("serve", "shop_jobs.py").code == 0
    assert call("work", "shop_jobs.py", "--report-to", "7").code == 0
    assert [(role.http, role.report_to) for role in runs.roles] == [(True, None), (False, 7)]


def test_a_node_process_is_started_with_the_same_target_and_flags(call: Call, runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "shop_jobs.py").write_text(APP)
    flags = ["--worker-count", "3", "--log-jobs", "--no-accept-unknown-types"]
    assert call("serve", "shop_jobs.py", "--processes", "4", *flags).code == 0
    (settings, _), (role,) = runs.served[0], runs.roles
    assert settings.processes == 4
    assert role.command[1:5] == ("-m", "ferryman", "work", "shop_jobs.py")
    assert call(*role.command[3:]).code == 0
    child, _ = runs.served[1]
    assert child == msgspec.structs.replace(settings, processes=0)
