"""The docs are right: tables and drawings are compared with the code."""

from __future__ import annotations

import inspect
import re
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ferryman.cli import COMMANDS, group
from ferryman.cli.api_keys import COMMANDS as API_KEYS
from ferryman.cli.jobs import COMMANDS as JOBS
from ferryman.cli.keys import COMMANDS as KEYS
from ferryman.cli.operations import COMMANDS as OPERATIONS
from ferryman.cli.schedules import COMMANDS as SCHEDULES
from ferryman.domain import errors
from ferryman.domain.errors import FerrymanError
from ferryman.domain.state import EDGES, INITIAL, TERMINAL
from ferryman.observe.exposition import Gauges, render
from ferryman.observe.metrics import Metrics
from ferryman.settings import TABLE
from ferryman.store.sqlite.statements import migrations
from tests.postgres import binaries, databases

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# -- errors --------------------------------------------------------------------------------------


def just_below(kind: type[FerrymanError]) -> list[type[FerrymanError]]:
    """In the order of their codes: each family has a file of its own, and these are imported in any order."""
    return sorted(kind.__subclasses__(), key=lambda each: each.code)


def all_below(kind: type[FerrymanError]) -> Iterator[type[FerrymanError]]:
    for each in just_below(kind):
        if each.__module__.startswith(errors.__name__):
            yield each
            yield from all_below(each)


FAMILIES = just_below(FerrymanError)
LEAVES = [each for each in all_below(FerrymanError) if each not in FAMILIES]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [each.code for each in LEAVES]
    assert all("code" in vars(each) for each in LEAVES)
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"FM[1-6]\d\d", code) for code in codes)


def test_the_drawing_in_the_module_is_the_tree_of_the_classes() -> None:
    drawn = [
        (len(indent), name, code)
        for indent, name, code in re.findall(
            r"^([ │├└─]+)(\w+) +(FM\d\w\w)", inspect.getdoc(errors) or "", re.MULTILINE
        )
    ]
    family: str | None = None
    seen: list[tuple[str | None, str, str]] = []
    for depth, name, code in drawn:
        if depth == min(depth for depth, *_ in drawn):
            family = name
        else:
            seen.append((family, name, code))
    assert seen == [(each.__mro__[1].__name__, each.__name__, each.code) for each in LEAVES]
    assert [name for depth, name, _ in drawn if name in {each.__name__ for each in FAMILIES}] == [
        each.__name__ for each in FAMILIES
    ]


def test_the_page_of_errors_lists_each_code_once_and_in_order() -> None:
    rows = re.findall(r'^\| <a id="(\w+)"></a>(\w+) `(\w+)` \| (.+) \| (.+) \|$', read("docs/errors.md"), re.MULTILINE)
    assert [(code, name) for _, code, name, *_ in rows] == [(each.code, each.__name__) for each in LEAVES]
    assert all(anchor == code for anchor, code, *_ in rows)


def test_an_error_links_to_its_row() -> None:
    assert errors.BadSetting("x").link.endswith("errors#FM101")


# -- settings ------------------------------------------------------------------------------------


def settings_table() -> str:
    rows = ["| Setting | Flag | Default | Allowed | Meaning |", "|---|---|---|---|---|"]
    for each in TABLE:
        mark = "*" * each.bare + "†" * each.secret
        flag = f"`{each.flag}`" + (f", `--no-{each.flag[2:]}`" if each.kind.flag else "")
        rows.append(f"| `{each.variable}`{mark} | {flag} | `{each.default}` | {each.kind.allowed} | {each.meaning} |")
    return "\n".join(rows)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    found = re.search(
        r"<!-- settings: begin .*?-->\n(.*?)\n?<!-- settings: end -->", read("docs/operations.md"), re.DOTALL
    )
    assert found is not None
    assert found[1] == settings_table(), f"docs/operations.md should have:\n{settings_table()}"


def test_the_table_of_metrics_is_what_is_exposed() -> None:
    empty = Gauges(pending={}, oldest_pending={}, in_progress=0, channel_length=0)
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", render(Metrics(), empty).decode(), re.MULTILINE))
    rows = re.findall(r"^\| `(ferryman_\w+)` \|", read("docs/operations.md"), re.MULTILINE)
    assert rows == list(kinds)
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in kinds.items())


# -- commands ------------------------------------------------------------------------------------


def test_the_table_of_commands_is_that_of_the_code() -> None:
    found = re.search(
        r"<!-- commands: begin .*?-->\n(.*?)\n?<!-- commands: end -->", read("docs/operations.md"), re.DOTALL
    )
    assert found is not None
    rows = re.findall(r"^\| `ferryman ([\w-]+)` \| (.+) \|$", found[1], re.MULTILINE)
    assert rows == [(name, text) for name, (_, text) in COMMANDS.items()]


def test_every_command_has_an_example() -> None:
    section = read("docs/operations.md").partition("## Commands")[2].partition("\n## ")[0]
    examples = "\n".join(re.findall(r"```console\n(.*?)```", section, re.DOTALL))
    shown = set(re.findall(r"^ferryman ([\w-]+)", examples, re.MULTILINE))
    assert shown | {"serve"} == set(COMMANDS), "serve has its examples in README.md"
    assert set(re.findall(r"^ferryman jobs (\w+)", examples, re.MULTILINE)) == set(JOBS)
    assert set(re.findall(r"^ferryman schedules (\w+)", examples, re.MULTILINE)) == set(SCHEDULES)
    assert set(re.findall(r"^ferryman operations (\w+)", examples, re.MULTILINE)) == set(OPERATIONS)
    assert set(re.findall(r"^ferryman keys (\w+)", examples, re.MULTILINE)) == set(KEYS)
    assert set(re.findall(r"^ferryman api-keys (\w+)", examples, re.MULTILINE)) == set(API_KEYS)


def test_every_flag_of_an_example_exists() -> None:
    section = read("docs/operations.md").partition("## Commands")[2].partition("\n## ")[0]
    for line in re.findall(r"^ferryman .+$", section, re.MULTILINE):
        words = shlex.split(line.partition(" > ")[0])[1:]
        command: click.Command = group
        while isinstance(command, click.Group) and words:  # `queues` alone does something, too
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        command.make_parser(click.Context(command)).parse_args(list(words))


# -- the state diagram ---------------------------------------------------------------------------


def test_the_state_diagram_is_the_transition_table() -> None:
    drawn = re.findall(r"^    (\[\*\]|\w+) --> (\[\*\]|\w+)", read("docs/internals.md"), re.MULTILINE)
    table = [(str(before), str(after)) for before, ends in EDGES.items() for after in ends]
    table += [("[*]", str(status)) for status in INITIAL] + [(str(status), "[*]") for status in TERMINAL]
    assert sorted(drawn) == sorted(table)


def test_the_table_of_tables_is_the_schema() -> None:
    connection = sqlite3.connect(":memory:")
    for _, script in migrations():
        connection.executescript(script)
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    rows = re.findall(
        r"^\| `(\w+)` \| ", read("docs/internals.md").partition("## Storage")[2].partition("###")[0], re.MULTILINE
    )
    assert sorted(rows) == sorted(name for (name,) in tables)
    connection.close()


def test_the_lists_of_start_and_stop_are_those_of_the_code() -> None:
    files = ("main.py", "engine/node.py", "engine/incarnation.py")
    started = [name for file in files for name in re.findall(r'\bPart\("([^"]+)"', read(f"src/ferryman/{file}"))]
    section = read("docs/internals.md").partition("## Start and stop")[2]
    assert re.findall(r"^\| ([a-z ]+) \| ", section, re.MULTILINE) == started


def test_the_glossary_explains_every_status() -> None:
    rows = re.findall(r"^\| \*\*(\w+)\*\* \|", read("docs/glossary.md").partition("## Statuses")[2], re.MULTILINE)
    assert rows == [str(status) for status in EDGES]


# -- links and names -----------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return slugs | set(re.findall(r'<a id="(\w+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_is_mentioned_exists(page: Path) -> None:
    known = {each.variable for each in TABLE} | {f"{each.variable}_FILE" for each in TABLE if each.secret}
    known |= {binaries.VARIABLE, databases.VARIABLE}  # for the tests
    named = set(re.findall(r"\bFERRYMAN_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    named = set(re.findall(r"(?:^|[`/ ])ferryman ([a-z-]+)", "\n".join(code_of(page)), re.MULTILINE)) - {"import"}
    assert named <= {*COMMANDS, "listening"}


def code_of(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"```.*?```", text, re.DOTALL) + re.findall(r"`(ferryman [^`\n]+)`", text)
