"""TARGET: files and modules, and errors that say what to type instead."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferryman.app import Ferryman
from ferryman.cli.target import load_target, targets_in
from ferryman.domain.errors import TargetBroken, TargetNotFound, TargetWithoutApp

APP = "from ferryman import Ferryman\n\napp = Ferryman()\n\n@app.job\ndef hello() -> None: ...\n"


@pytest.fixture(autouse=True)
def _imports_are_undone() -> Iterator[None]:
    path, modules = list(sys.path), dict(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]


def write(folder: Path, **files: str) -> None:
    """Write files; in their names __ stands for a slash."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def types_of(app: Ferryman) -> set[str]:
    return set(app.registry.types)


# -- found ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["shop.py", "shop", "shop:app", "shop.py:app", "./shop.py", None])
def test_a_file_and_a_module_lead_to_the_app(target: str | None, tmp_path: Path) -> None:
    write(tmp_path, shop=APP, jobs="from shop import app\n" if target is None else "")
    assert types_of(load_target(target, tmp_path)) == {"hello"}


def test_a_module_in_a_package_leads_to_the_app(tmp_path: Path) -> None:
    write(tmp_path, shop__jobs="from .base import app\n", shop__base=APP)
    assert types_of(load_target("shop.jobs", tmp_path)) == {"hello"}


def test_an_absolute_path_may_lie_anywhere(tmp_path: Path) -> None:
    write(tmp_path, far__away=APP)
    assert types_of(load_target(str(tmp_path / "far/away.py"), tmp_path / "here")) == {"hello"}


def test_the_first_app_of_a_file_is_taken_unless_one_is_named(tmp_path: Path) -> None:
    write(tmp_path, shop=APP + "second = Ferryman()\n@second.job\ndef bye() -> None: ...\n")
    assert types_of(load_target("shop.py", tmp_path)) == {"hello"}
    assert types_of(load_target("shop.py:second", tmp_path)) == {"bye"}


def test_a_file_may_import_its_neighbours_and_they_the_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        sub__main_app="from ferryman import Ferryman\napp = Ferryman()\nimport its_jobs\n",
        sub__its_jobs="from main_app import app\n@app.job\ndef hello() -> None: ...\n",
    )
    assert types_of(load_target("sub/main_app.py", tmp_path)) == {"hello"}


def test_a_file_named_like_a_module_of_python_works_and_leaves_that_alone(tmp_path: Path) -> None:
    import queue  # noqa: PLC0415 - the module that the file must not replace

    write(tmp_path, queue=APP)
    assert types_of(load_target("queue.py", tmp_path)) == {"hello"}
    assert sys.modules["queue"] is queue


def test_app_py_comes_before_jobs_py_unless_only_the_second_makes_an_app(tmp_path: Path) -> None:
    write(tmp_path, app=APP.replace("hello", "first"), jobs=APP.replace("hello", "second"))
    assert types_of(load_target(None, tmp_path)) == {"first"}
    del sys.modules["app"]
    write(tmp_path, app="app = 'another framework'\n")
    assert types_of(load_target(None, tmp_path)) == {"second"}


# -- not found -----------------------------------------------------------------------------------


def test_a_missing_target_lists_the_files_with_jobs_without_importing_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        shop=APP + "raise SystemExit('imported!')\n",
        mail__tasks="import ferryman\napp = ferryman.Ferryman()\n",
        plain="print('no jobs')\n",
        mentions="# Ferryman( in a comment only\n",
        broken="app = Ferryman(\n",
    )
    (tmp_path / "bytes.py").write_bytes(b"Ferryman( \xff")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.py").write_text(APP)
    assert targets_in(tmp_path) == ["shop.py", "mail/tasks.py"]
    with pytest.raises(TargetNotFound) as caught:
        load_target(None, tmp_path)
    assert "no app.py or jobs.py" in caught.value.what
    assert "Files with jobs found here: shop.py, mail/tasks.py. Try: ferryman serve shop.py" in caught.value.hint


@pytest.mark.parametrize(
    ("target", "what"), [("shpo.py", "There is no file shpo.py."), ("shpo", "There is no module shpo.")]
)
def test_a_misspelled_target_is_answered_with_the_near_one(target: str, what: str, tmp_path: Path) -> None:
    write(tmp_path, shop=APP)
    with pytest.raises(TargetNotFound) as caught:
        load_target(target, tmp_path)
    assert caught.value.what == what
    assert f"Did you mean {target.replace('shpo', 'shop')}?" in caught.value.hint


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "shop.py").mkdir()
    with pytest.raises(TargetNotFound, match=r"shop\.py is a folder\."):
        load_target("shop.py", tmp_path)


def test_an_empty_folder_is_told_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(TargetNotFound, match=r"Name a file that holds `app = Ferryman\(\)`"):
        load_target(None, tmp_path)


@pytest.mark.parametrize("target", [":app", "a..b", ".", "..", "-"])
def test_what_is_no_name_at_all_is_not_found(target: str, tmp_path: Path) -> None:
    with pytest.raises(TargetNotFound):
        load_target(target, tmp_path)


# -- broken --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["shop.py", "shop"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\nimport missing_thing\n", "ModuleNotFoundError: No module named 'missing_thing'"),
        ("\n1 / 0\n", "ZeroDivisionError: division by zero"),
        ("\napp = (\n", "SyntaxError: "),
        ("\nraise SystemExit(3)\n", "SystemExit: 3"),
        ("\nfrom ferryman import Ferrymann\n", "ImportError: cannot import name 'Ferrymann'"),
        ("import json\njson.loads('x')\n", "json.decoder.JSONDecodeError: "),
    ],
)
def test_a_target_that_raises_is_shown_with_its_line(target: str, text: str, told: str, tmp_path: Path) -> None:
    write(tmp_path, shop=text)
    with pytest.raises(TargetBroken) as caught:
        load_target(target, tmp_path)
    assert caught.value.what == f"{target} raised while it was imported."
    assert told in caught.value.why
    assert f"{tmp_path / 'shop.py'}, line 2" in caught.value.why


def test_the_line_shown_is_the_deepest_of_ones_own(tmp_path: Path) -> None:
    write(tmp_path, shop="import helper\n", helper="import json\n\njson.loads('x')\n")
    with pytest.raises(TargetBroken) as caught:
        load_target("shop.py", tmp_path)
    assert f"{tmp_path / 'helper.py'}, line 3: json.loads('x')" in caught.value.why


def test_a_broken_target_is_not_left_half_imported(tmp_path: Path) -> None:
    write(tmp_path, shop="raise ValueError\n")
    with pytest.raises(TargetBroken):
        load_target("shop.py", tmp_path)
    write(tmp_path, shop=APP)
    assert types_of(load_target("shop.py", tmp_path)) == {"hello"}


def test_a_target_that_exits_is_told_where_to_put_that(tmp_path: Path) -> None:
    write(tmp_path, shop="raise SystemExit(3)\n")
    with pytest.raises(TargetBroken, match='if __name__ == "__main__":'):
        load_target("shop.py", tmp_path)


def test_a_file_inside_a_package_is_sent_to_the_module_form(tmp_path: Path) -> None:
    write(tmp_path, shop__jobs="from .base import app\n", shop__base=APP)
    with pytest.raises(TargetBroken, match=r"ferryman serve package\.module"):
        load_target("shop/jobs.py", tmp_path)


# -- without an app ------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["shop.py", "shop"])
def test_a_target_without_an_app_says_what_to_add(target: str, tmp_path: Path) -> None:
    write(tmp_path, shop="def make():\n    from ferryman import Ferryman\n    return Ferryman()\n", other=APP)
    with pytest.raises(TargetWithoutApp) as caught:
        load_target(target, tmp_path)
    assert "Add `app = Ferryman()`" in caught.value.hint
    assert "other.py" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("apps", "shop.py has no apps. It holds app. Did you mean app?"),
        ("hello", "hello in shop.py is no Ferryman, it is of type"),
    ],
)
def test_a_wrong_name_is_answered_with_those_that_there_are(name: str, told: str, tmp_path: Path) -> None:
    write(tmp_path, shop=APP)
    with pytest.raises(TargetWithoutApp) as caught:
        load_target(f"shop.py:{name}", tmp_path)
    assert told in str(caught.value)
