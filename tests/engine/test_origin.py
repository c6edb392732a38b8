"""Which functions another process can find."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ferryman import Ferryman
from ferryman.declare import make_handler
from ferryman.domain.errors import BadHandler, BadOption
from ferryman.engine.origin import Origin, origin_of
from tests.engine import processes_target


def top() -> None: ...


async def coroutine() -> None: ...


class Holder:
    @staticmethod
    def static() -> None: ...

    def method(self) -> None: ...


def test_a_function_is_found_by_module_file_and_name() -> None:
    assert origin_of(top) == Origin(__name__, __file__, "top")
    assert origin_of(Holder.static) == Origin(__name__, __file__, "Holder.static")


def test_only_a_handler_that_was_declared_so_has_an_origin() -> None:
    assert make_handler(top, wants_context=False).origin is None
    assert make_handler(top, wants_context=False, process=True).origin == origin_of(top)
    found = processes_target.app.registry.get("context")
    assert found is not None
    assert found.wants_context
    assert found.origin == Origin(processes_target.__name__, processes_target.__file__, "context")


def test_what_another_process_could_not_run_is_refused_where_it_is_declared() -> None:
    def nested() -> None: ...

    app = Ferryman()
    with pytest.raises(BadHandler, match=r"coroutine cannot run in a worker process. It is async def"):
        app.job(process=True)(coroutine)
    with pytest.raises(BadHandler, match="It is a function inside a function"):
        app.job(process=True)(nested)
    with pytest.raises(BadHandler, match="It is bound to an object"):
        app.job(process=True)(Holder().method)
    with pytest.raises(BadHandler, match="A lambda cannot be a handler"):
        app.job(process=True)(lambda: None)
    assert not app.registry.types


def test_a_module_without_a_file_cannot_be_imported_again(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = ModuleType("notebook")
    exec("def cell(): ...", vars(notebook))
    for present in (False, True):
        if present:
            monkeypatch.setitem(sys.modules, "notebook", notebook)
        with pytest.raises(BadHandler, match="It is in notebook, which is no file"):
            origin_of(notebook.cell)


@pytest.mark.parametrize(("spec", "name"), [(None, "jobs"), ("shop.jobs", "shop.jobs")])
def test_the_main_module_is_imported_under_another_name(
    spec: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = ModuleType("__main__")
    main.__file__ = "/somewhere/jobs.py"
    main.__spec__ = None if spec is None else sys.modules[__name__].__spec__
    if main.__spec__ is not None:
        monkeypatch.setattr(main.__spec__, "name", spec)
    exec("def work(): ...", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert origin_of(main.work) == Origin(name, str(Path("/somewhere/jobs.py")), "work")


def test_process_is_yes_or_no() -> None:
    with pytest.raises(BadOption, match="process cannot be 'yes'"):
        make_handler(top, wants_context=False, process="yes")  # type: ignore[arg-type]
