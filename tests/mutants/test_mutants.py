"""The mutants still fit the tree, and the runner reads what it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.mutants.copies import ROOT, Copy, copied
from tests.mutants.patches import Patch, all_patches, read
from tests.mutants.report import Memory, Row, as_markdown
from tests.mutants.trials import Checked, Simulated, found, killer

PATCHES = all_patches()
MODEL = "tests/simulation/postgres"
"""What the simulation has in the place of PostgreSQL: with it the ideas of that store are broken."""


@pytest.fixture(scope="module")
def sources() -> Generator[Copy]:
    with copied(["src", MODEL]) as copy:
        yield copy


@pytest.mark.parametrize("patch", PATCHES, ids=[patch.name for patch in PATCHES])
def test_it_fits_the_tree_and_can_be_compiled(sources: Copy, patch: Patch) -> None:
    with sources.broken(patch):
        for file in patch.files:
            assert file.startswith(("src/", MODEL))
            if file.endswith(".py"):
                compile((sources.root / file).read_text("utf-8"), file, "exec")


def test_what_was_broken_is_mended(sources: Copy) -> None:
    before = sources.digest(["src"])
    with sources.broken(PATCHES[0]):
        assert sources.digest(["src"]) != before
    assert sources.digest(["src"]) == before
    assert sources.digest(["src"], without="src/ferryman/store") != before


def test_each_says_which_promises_it_breaks() -> None:
    promises = set(re.findall(r"^\*\*(P\d+)\. ", (ROOT / "docs" / "promises.md").read_text("utf-8"), re.MULTILINE))
    for patch in PATCHES:
        assert set(patch.offends) <= promises, patch.name
        assert patch.breaks.endswith(")") and patch.mistake.endswith("."), patch.name


def test_every_promise_is_broken_by_one() -> None:
    broken = {promise for patch in PATCHES for promise in patch.offends}
    assert broken == {
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P6",
        "P7",
        "P8",
        "P9",
        "P10",
        "P11",
        "P12",
        "P13",
        "P14",
        "P15",
        "P16",
        "P17",
        "P18",
        "P19",
    }


def test_there_are_enough_and_no_two_are_the_same() -> None:
    assert len(PATCHES) >= 30
    changes = ["\n".join(line for line in patch.diff.splitlines() if line[:1] in "+-") for patch in PATCHES]
    assert max(Counter(changes).values()) == 1
    assert max(Counter(patch.breaks for patch in PATCHES).values()) == 1


def test_a_header_without_a_part_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.patch"
    path.write_text("Breaks: much.\nMistake: an oversight.\n\n--- a/src/x\n+++ b/src/x\n")
    with pytest.raises(ValueError, match="lacks: Offends"):
        read(path)


GREEN = "tests/a/test_x.py::TestX::test_one[a b] PASSED      [ 50%]\n"
NEXT = "tests/a/test_x.py::test_two"


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        (f"{GREEN}{NEXT} FAILED [100%]\nFAILED tests/a/..\n", Checked(NEXT)),
        (f"{GREEN}{NEXT} ERROR [100%]\n", Checked(NEXT)),
        (f"{GREEN}{NEXT}[1-b c] FAILED [100%]\n", Checked(f"{NEXT}[1-b c]")),
        (f"{GREEN}{NEXT} Timeout (0:01:00)!\n", Checked(NEXT, hangs=True)),
        (f"{GREEN}{NEXT} ", Checked(NEXT, hangs=True)),
        ("ERROR tests/a/test_z.py - NameError\n", Checked("tests/a/test_z.py")),
        ("", Checked("the collection", hangs=True)),
    ],
)
def test_the_test_that_kills_is_named(written: str, verdict: Checked) -> None:
    assert killer(written) == verdict


@pytest.mark.parametrize(
    ("written", "verdict", "text"),
    [
        ('noise\n{"seeds": 50, "first": 41, "promise": "P4"}\nwarning\n', Simulated(9, 41, "P4"), "42 seeds (P4)"),
        ('{"seeds": 9, "violations": 0, "first": null, "promise": null}', Simulated(9), "survives 9 seeds"),
        ("Traceback\nKeyError: 'x'", Simulated(9, trouble="KeyError: 'x'"), "no answer: KeyError: 'x'"),
        ("{", Simulated(9, trouble="{"), "no answer: {"),
        ("", Simulated(9, trouble="it wrote nothing"), "no answer: it wrote nothing"),
    ],
)
def test_what_the_simulation_found_is_read(written: str, verdict: Simulated, text: str) -> None:
    assert found(9, written) == verdict
    assert str(verdict) == text


def test_only_what_was_killed_does_not_survive() -> None:
    def row(simulation: Simulated | None) -> Row:
        return Row("m", "b", ("P1",), Checked(None), simulation)

    assert not row(None).survives
    assert not row(Simulated(9, 0, "P1")).survives
    assert row(Simulated(9)).survives
    assert row(Simulated(9, trouble="none")).survives


def test_only_what_nothing_speaks_against_is_sound() -> None:
    def row(tests: Checked | None, simulation: Simulated | None) -> Row:
        return Row("m", "b", ("P1",), tests, simulation)

    assert row(Checked(None), Simulated(9)).sound
    assert row(None, None).sound
    assert not row(Checked("tests/x"), Simulated(9)).sound
    assert not row(Checked(None), Simulated(9, 0, "P1")).sound
    assert not row(Checked(None), Simulated(9, trouble="none")).sound


def test_a_verdict_is_enough_if_more_seeds_would_say_the_same() -> None:
    assert Simulated(9, 3, "P1").enough(100)
    assert Simulated(9).enough(9)
    assert not Simulated(9).enough(10)
    assert not Simulated(9, trouble="none").enough(9)


def test_verdicts_are_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "build" / "mutants.json")
    assert memory.get("tests 1", Checked) is None
    memory.keep("tests 1", Checked("tests/x", hangs=True))
    memory.keep("simulation 1", Simulated(9, 3, "P4"))
    again = Memory(tmp_path / "build" / "mutants.json")
    assert again.get("tests 1", Checked) == Checked("tests/x", hangs=True)
    assert again.get("simulation 1", Simulated) == Simulated(9, 3, "P4")


def test_the_table_has_a_row_for_each() -> None:
    whole = Row("no-poll", "Breaks.", ("P2", "P13"), Checked(None), Simulated(9, 0, "P2"))
    rows = [whole, Row("b", "B.", (), None, None)]
    assert as_markdown(rows).splitlines()[2:] == ["| no-poll | P2, P13 | green | 1 seed (P2) |", "| b |  |  |  |"]
