"""The files in deploy/ name commands and settings that exist, and leave enough time to stop."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ferryman.cli import COMMANDS
from ferryman.settings import Settings, load

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
STOP_DEADLINE = Settings().stop_deadline


def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parser.read(DEPLOY / "ferryman.service")
    return parser["Service"]


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text()


def settings_of(environment: str) -> Mapping[str, str]:
    """The settings that a line of NAME=VALUE pairs sets; a name or a value that is wrong raises."""
    pairs = dict(pair.split("=", 1) for pair in environment.split())
    load({}, pairs, DEPLOY)
    return pairs


def command_of(line: str) -> str:
    """Which of our commands a command line runs."""
    found = re.fullmatch(r"(?:\S*/)?ferryman (\w+) jobs\.py.*", line)
    assert found is not None, line
    return found[1]


def test_the_unit_checks_then_serves() -> None:
    assert command_of(unit()["ExecStartPre"]) == "check"
    assert command_of(unit()["ExecStart"]) == "serve"
    assert {"check", "serve", "work"} <= set(COMMANDS)


def test_the_unit_leaves_time_to_stop_and_signals_the_first_process_only() -> None:
    assert float(unit()["TimeoutStopSec"]) > STOP_DEADLINE
    assert unit()["KillMode"] == "mixed"


def test_the_unit_keeps_the_jobs_in_its_state_directory() -> None:
    database = settings_of(unit()["Environment"])["FERRYMAN_DATABASE_URL"]
    assert database.startswith(f"sqlite:////var/lib/{unit()['StateDirectory']}/")


def test_the_image_runs_a_python_that_is_allowed_and_no_shell() -> None:
    python = re.search(r"^FROM python:3\.(\d+)-slim$", dockerfile(), re.MULTILINE)
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert python is not None
    assert int(python[1]) >= int(required.removeprefix(">=3."))
    command = re.search(r"^CMD (.+)$", dockerfile(), re.MULTILINE)
    assert command is not None
    assert command_of(" ".join(json.loads(command[1]))) == "serve"


def test_the_image_keeps_the_jobs_in_its_volume_and_opens_the_port() -> None:
    lines = dict(re.findall(r"^(ENV|VOLUME|EXPOSE) (.+)$", dockerfile(), re.MULTILINE))
    environment = settings_of(lines["ENV"])
    assert environment["FERRYMAN_DATABASE_URL"].startswith(f"sqlite:///{lines['VOLUME']}/")
    assert environment["FERRYMAN_HOST"] == "0.0.0.0"
    assert int(lines["EXPOSE"]) == Settings().port


def test_whoever_runs_the_image_is_told_to_leave_it_time_to_stop() -> None:
    told = re.findall(r"--stop-timeout (\d+)", dockerfile() + (ROOT / "docs" / "operations.md").read_text())
    assert len(told) >= 2
    assert all(int(seconds) > STOP_DEADLINE for seconds in told)


def test_the_procfile_has_a_web_process_that_forks_and_one_that_works() -> None:
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    processes = dict(line.split(": ", 1) for line in lines)
    assert list(processes) == ["web", "work"]
    assert "gunicorn --preload" in processes["web"]
    assert command_of(processes["work"]) == "work"


def test_the_page_of_operations_leads_to_each_file() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert {path.name for path in DEPLOY.iterdir() if f"(../deploy/{path.name})" not in page} == set()
