"""The commands on a PostgreSQL database, as people call them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman.app import Ferryman
from ferryman.domain.state import Status
from ferryman.settings import Settings
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.statements import migrations
from ferryman.supervise.role import Role
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import RETENTION
from tests.cli.shop import Place, Shop
from tests.postgres.databases import Databases
from tests.servers import ROLE, as_role, empty, role, said

NEWEST = migrations()[-1][0]
COMMANDS = ["jobs ls", "jobs show x", "jobs cancel --type greet --yes", "queues", "nodes", "quiet", "prune"]


class ServerShop(Shop):
    """A shop whose jobs are on a server."""

    def __init__(self, url: str, folder: Path, capsys: Any, patch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, capsys, patch)
        self.url = url
        self.environ = {"FERRYMAN_DATABASE_URL": url}
        place: Any = Place(self.clock)
        self.bench = Bench(place, PostgresStore(url, clock=self.clock, retention=RETENTION, locks=folder / "locks"))
        self._store = self.bench.store


@pytest.fixture
def bare(
    postgres: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServerShop]:
    """A database without our tables."""
    with empty(postgres) as url:
        yield ServerShop(url, tmp_path, capsys, monkeypatch)


@pytest.fixture
def shop(bare: ServerShop) -> ServerShop:
    """A database with them."""
    assert bare.call("migrate").code == 0
    return bare


# -- migrate -------------------------------------------------------------------------------------


def test_migrate_says_what_it_did(bare: ServerShop) -> None:
    place = rf"PostgreSQL at \S+, database \w+, user \w+ has schema {NEWEST}"
    assert re.fullmatch(rf"{place}\.\n", bare.call("migrate").out)
    assert re.fullmatch(rf"{place} already; there was nothing to do\.\n", bare.call("migrate").out)
    told = bare.call("migrate", "--json").json
    assert (told["from"], told["to"]) == (NEWEST, NEWEST)
    assert told["database"].startswith("PostgreSQL at ")


def test_migrate_check_says_what_is_missing_and_makes_nothing(bare: ServerShop) -> None:
    for _ in range(2):
        result = bare.call("migrate", "--check")
        assert (result.code, result.err) == (1, "")
        assert result.out.endswith(
            f"no tables of Ferryman's; this version works with schema {NEWEST}. Run: ferryman migrate\n"
        )
    assert bare.call("migrate", "--check", "--json").json["from"] == 0
    bare.call("migrate")
    result = bare.call("migrate", "--check")
    assert (result.code, result.out.endswith(f"has schema {NEWEST}; nothing is missing.\n")) == (0, True)


def test_migrate_sql_is_what_another_role_can_run(bare: ServerShop) -> None:
    with role(bare.url):
        printed = bare.call("migrate", "--sql", "--role", ROLE)
        assert (printed.code, printed.err) == (0, "")
        assert bare.call("migrate", "--check").code == 1
        said(bare.url, printed.out)
        assert bare.call("migrate", "--sql").out == "\n"
        theirs = as_role(bare.url, ROLE)
        assert bare.call("queues", "--database-url", theirs).out == "No job waits or runs.\n"
        found = {each["about"]: each for each in bare.call("check", "--database-url", theirs, "--json").json}
        assert found["rights"]["level"] == "ok"


def test_migrate_gives_a_role_its_rights(bare: ServerShop) -> None:
    with role(bare.url):
        bare.call("migrate", "--role", ROLE)
        assert bare.call("nodes", "--database-url", as_role(bare.url, ROLE)).out == "No nodes.\n"


def test_a_role_that_is_not_there_is_named(bare: ServerShop) -> None:
    result = bare.call("migrate", "--role", "nobody_like_that")
    assert (result.code, 'role "nobody_like_that" does not exist' in result.err) == (3, True)


def test_a_role_makes_no_sense_for_a_file(bare: ServerShop) -> None:
    assert bare.call("migrate", "--role", "x", "--database-url", "sqlite:///jobs.db").code == 2
    assert bare.call("migrate", "--sql", "--check").code == 2


def test_who_may_not_make_tables_is_told_so(bare: ServerShop) -> None:
    with role(bare.url):
        result = bare.call("migrate", "--database-url", as_role(bare.url, ROLE))
        assert (result.code, "permission denied for database" in result.err) == (3, True)
        assert "sesame" not in result.err


def test_migrate_check_of_a_file(bare: ServerShop) -> None:
    bare.environ = {"FERRYMAN_DATABASE_URL": f"sqlite:///{bare.path}"}
    assert bare.call("migrate", "--check").code == 1
    assert not bare.path.exists()
    bare.call("migrate")
    assert bare.call("migrate", "--check").code == 0


# -- the other commands --------------------------------------------------------------------------


@pytest.mark.parametrize("command", [*COMMANDS, "enqueue greet name=x"])
def test_without_our_tables_each_says_what_to_do(bare: ServerShop, command: str) -> None:
    if command.startswith("enqueue"):
        command += f" --target {bare.target()}"
    result = bare.call(*command.split())
    assert (result.code, result.out) == (3, "")
    assert "FM219" in result.err and "ferryman migrate" in result.err


@pytest.mark.parametrize("command", [*COMMANDS, "migrate", "migrate --check"])
def test_a_server_that_is_not_there_is_named_and_no_password_is(bare: ServerShop, command: str) -> None:
    bare.environ = {"FERRYMAN_DATABASE_URL": "postgresql://ada:sesame@127.0.0.1:1/shop?password=sesame"}
    result = bare.call(*command.split())
    assert (result.code, result.out) == (3, "")
    assert "FM218: PostgreSQL at 127.0.0.1:1, database shop, user ada cannot be reached." in result.err
    assert "sesame" not in result.err


@pytest.mark.parametrize("command", [*COMMANDS, "migrate", "check", "serve"])
def test_without_the_driver_each_says_what_to_install(
    bare: ServerShop, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("ferryman.store.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    arguments = [command, bare.target()] if command in ("check", "serve") else command.split()
    result = bare.call(*arguments)
    assert result.code == (1 if command == "check" else 3)
    assert "FM221" in result.out + result.err
    assert "pip install 'ferryman[postgres]'" in result.out + result.err


def test_jobs_are_handed_in_shown_cancelled_and_retried(shop: ServerShop) -> None:
    id = shop.call("enqueue", "greet", "name=Ada", "--target", shop.target()).out.strip()
    assert [row[:4] for row in shop.call("jobs", "ls").rows] == [[id, "greet", "letters", "pending"]]
    assert "letters" in shop.call("queues").out
    assert shop.call("jobs", "show", id, "--json").json["max_attempts"] == 3
    assert shop.call("jobs", "cancel", id).code == 0
    assert shop.call("jobs", "retry", "--status", "cancelled", "--yes").out == "1 job pending again.\n"
    assert shop.call("jobs", "ls", "--status", "pending", "--json").json[0]["id"] == id
    assert shop.call("enqueue", "gret", "name=Ada").code == 1


def test_a_file_of_lines_is_handed_in(shop: ServerShop) -> None:
    lines = "".join(f'{{"name": "{n}"}}\n' for n in range(2500))
    result = shop.call("enqueue", "greet", "--lines", "-", "--target", shop.target(), stdin=lines)
    assert result.out == "2500 jobs accepted.\n"
    assert shop.call("queues", "--json").json[0]["pending"] == 2500


def test_tail_tells_of_changes(shop: ServerShop) -> None:
    shop.pauses.append(lambda: None)
    shop.do(lambda bench: bench.add())
    result = shop.call("jobs", "tail", "--json")
    assert (result.code, result.err) == (0, "")


def test_prune_deletes_what_it_is_told(shop: ServerShop) -> None:
    async def one(bench: Bench) -> None:
        await bench.bring(Status.COMPLETED)
        bench.clock.advance(10)

    shop.do(one)
    assert shop.call("prune", "--completed", "1s").out == "1 job deleted.\n"


def test_nodes_and_quiet(shop: ServerShop) -> None:
    shop.do(lambda bench: bench.node())
    assert [row[1] for row in shop.call("nodes").rows] == ["host"]
    assert shop.call("quiet").out == "No live nodes on this machine.\n"


# -- check ---------------------------------------------------------------------------------------


def test_check_looks_at_the_server_and_at_what_is_pending(shop: ServerShop) -> None:
    shop.do(lambda bench: bench.add("gret"))
    found = {each["about"]: each for each in shop.call("check", shop.target(), "--json").json}
    commits = found.pop("commits", None)  # our own server of tests loses all in a crash, and is quick
    assert {name: each["level"] for name, each in found.items()} == {
        "target": "ok",
        "settings": "ok",
        "database": "ok",
        "schema": "ok",
        "rights": "ok",
        "room": "ok",
        "skew": "warning",
        "types": "warning",
        "clock": "ok",
    }
    assert commits is None or commits["level"] == "warning"
    assert "1 job of type gret pending" in found["types"]["what"]


def test_check_of_a_server_that_is_not_there_or_has_no_tables(bare: ServerShop) -> None:
    result = bare.call("check", bare.target(), "--json")
    assert (result.code, [each["code"] for each in result.json if each["level"] == "error"]) == (1, ["FM219"])
    bare.environ = {"FERRYMAN_DATABASE_URL": "postgresql://ada:sesame@127.0.0.1:1/shop"}
    result = bare.call("check", bare.target(), "--json")
    assert (result.code, [each["code"] for each in result.json if each["level"] == "error"]) == (1, ["FM218"])
    assert "sesame" not in result.out


def test_check_of_a_url_that_cannot_be_read(bare: ServerShop) -> None:
    bare.environ = {"FERRYMAN_DATABASE_URL": "postgresql://ada:se/same@db/shop"}
    result = bare.call("check", bare.target())
    assert (result.code, "FM101" in result.out, "same" in result.out) == (1, True, False)


# -- config and secrets --------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["environment", "file", "toml"])
@pytest.mark.parametrize("url", ["postgresql://ada:se%2Fsame@db/shop", "postgresql://ada@db/shop?password=se%2Fsame"])
def test_config_shows_no_password(bare: ServerShop, url: str, way: str) -> None:
    bare.environ = {}
    if way == "environment":
        bare.environ["FERRYMAN_DATABASE_URL"] = url
    elif way == "file":
        (bare.folder / "secret").write_text(f"{url}\n")
        bare.environ["FERRYMAN_DATABASE_URL_FILE"] = str(bare.folder / "secret")
    else:
        (bare.folder / "ferryman.toml").write_text(f'database_url = "{url}"\n')
    for form in ([], ["--json"]):
        result = bare.call("config", *form)
        assert "@db/shop" in result.out
        assert "same" not in result.out


# -- dev -----------------------------------------------------------------------------------------


def test_dev_migrates_and_serve_does_not(bare: ServerShop) -> None:
    served: list[object] = []

    def run(settings: Settings, app: Ferryman, role: Role) -> int:
        served.extend(said(settings.database_url, "SELECT to_regclass('ferryman.job') IS NOT NULL"))
        return 0

    bare.run = run
    assert bare.call("serve", bare.target()).code == 0
    assert bare.call("serve", "--migrate", bare.target()).code == 0
    assert served == [(False,), (True,)]
