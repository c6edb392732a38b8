"""What `ferryman check` says of a server, for each thing that may be wrong with one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ferryman.cli.findings import Finding
from ferryman.cli.server_findings import findings
from ferryman.store.postgres.examining import Examined, Rights, Server

SERVER = Server("18.1", "ada", False, "on", "on", "on", 100)
WELL = Examined(SERVER, Rights(True, False, []), 3, {}, 0.1, False, {})


def found(seen: Examined = WELL, processes: int = 0, **server: Any) -> list[Finding]:
    seen = msgspec.structs.replace(seen, server=msgspec.structs.replace(seen.server, **server))
    return list(findings(seen, "db:5432, database shop, user ada", 3, processes))


def but(processes: int = 0, **fields: Any) -> list[Finding]:
    """What is not well with a server that is well but for some fields."""
    server = {name: fields.pop(name) for name in list(fields) if name in Server.__struct_fields__}
    told = found(msgspec.structs.replace(WELL, **fields), processes, **server)
    return [each for each in told if each.level != "ok"]


def test_all_is_well() -> None:
    told = found()
    assert {each.level for each in told} == {"ok"}
    assert [each.about for each in told] == ["database", "schema", "rights", "room", "skew"]
    assert "does not own the tables" in told[2].what
    assert all(len(each.about) < 9 for each in told), "a column of the table is as wide"


def test_what_takes_no_writes_is_an_error() -> None:
    [finding] = but(read_only=True)
    assert (finding.level, finding.code, finding.about) == ("error", "FM202", "database")


@pytest.mark.parametrize(("applied", "says"), [(0, "does not have Ferryman's tables"), (2, "has schema 2")])
def test_tables_that_are_missing_are_an_error(applied: int, says: str) -> None:
    [finding] = but(applied=applied)
    assert (finding.level, finding.code) == ("error", "FM219")
    assert says in finding.what and "works with schema 3" in finding.what
    assert but(applied=4) == [], "of a newer version, which this one can live with"


def test_rights_that_are_missing_are_an_error_and_the_first_are_named() -> None:
    [finding] = but(rights=Rights(True, False, ["INSERT on job", "UPDATE on job"]))
    assert (finding.level, finding.what) == ("error", "The role ada lacks INSERT on job, UPDATE on job.")
    assert finding.hint.endswith("ferryman migrate --role ada")
    [finding] = but(rights=Rights(True, False, [f"INSERT on t{n}" for n in range(5)]))
    assert finding.what.endswith("INSERT on t2 and 2 more.")


def test_who_may_not_even_look_is_told_of_that_alone() -> None:
    [finding] = but(rights=Rights(False, False, []), applied=0)
    assert finding.what == "The role ada lacks USAGE on schema ferryman."


def test_without_a_schema_there_are_no_rights_to_speak_of() -> None:
    assert "rights" not in [each.about for each in found(msgspec.structs.replace(WELL, rights=None))]


def test_what_a_crash_could_lose_is_a_warning() -> None:
    [finding] = but(fsync="off")
    assert (finding.level, finding.what.startswith("fsync is off:")) == ("warning", True)
    [finding] = but(fsync="off", full_page_writes="off")
    assert finding.what.startswith("fsync and full_page_writes are off:")
    for value in ("off", "local"):
        [finding] = but(synchronous_commit=value)
        assert f"synchronous_commit is {value}" in finding.what
    assert but(synchronous_commit="remote_apply") == []


def test_old_transactions_are_warnings() -> None:
    first, second = but(old={"process 7 of ada (report, active)": 3700.0, "prepared transaction x of ada": 61.0})
    assert first.what == "A transaction has been open for 1h 1m: process 7 of ada (report, active)."
    assert (first.level, second.level) == ("warning", "warning")


@pytest.mark.parametrize(
    ("room", "processes", "enough"), [(15, 0, True), (14, 0, False), (30, 2, True), (29, 2, False)]
)
def test_each_node_needs_room(room: int, processes: int, *, enough: bool) -> None:
    told = but(processes, room=room)
    assert [each.about for each in told] == ([] if enough else ["room"])


def test_a_pooler_in_transaction_mode_is_a_warning() -> None:
    [finding] = but(pooled=True)
    assert (finding.level, finding.about) == ("warning", "pooler")


@pytest.mark.parametrize(("ahead", "says"), [(2.5, "2.5 s ahead of"), (-60.0, "60.0 s behind")])
def test_clocks_that_differ_are_a_warning(ahead: float, says: str) -> None:
    [finding] = but(ahead=ahead)
    assert says in finding.what
    assert but(ahead=-1.9) == []
