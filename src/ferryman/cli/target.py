"""TARGET: from what a person typed to the `Ferryman` object of their file or module."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from ferryman.app import Ferryman
from ferryman.domain.errors import TargetBroken, TargetNotFound, TargetWithoutApp
from ferryman.domain.suggest import did_you_mean

USUAL: Final = ("app.py", "jobs.py")
"""What is looked for where no TARGET is given."""
SCANNED: Final = 500
"""How many files of a folder are looked into for jobs."""
LARGEST_SCANNED: Final = 1_000_000


def load_target(target: str | None, folder: Path) -> Ferryman:
    """Import the target and give its app.

    Args:
        target: a file (`jobs.py`), a module (`shop.jobs`), either with `:name` of the app; None looks
            for app.py and jobs.py.
        folder: the current folder.

    Raises:
        TargetNotFound: there is no such file or module.
        TargetBroken: it raised while it was imported.
        TargetWithoutApp: it holds no app, or none of that name.
    """
    place, _, name = (target or _usual(folder)).partition(":")
    module = _import_file(place, folder) if _is_file(place) else _import_module(place, folder)
    return _app_of(module, place, name, folder)


def targets_in(folder: Path) -> list[str]:
    """The files in a folder, and one level below, that make a `Ferryman(...)`; read, never imported."""
    return [path.relative_to(folder).as_posix() for path in _sources(folder) if _makes_app(path)]


def _sources(folder: Path) -> Iterator[Path]:
    paths = sorted(folder.glob("*.py")) + sorted(folder.glob("*/*.py"))
    return (path for path in paths[:SCANNED] if not path.relative_to(folder).parts[0].startswith("."))


def _makes_app(path: Path) -> bool:
    try:
        if path.stat().st_size > LARGEST_SCANNED:
            return False
        source = path.read_text(encoding="utf-8")
        if "Ferryman(" not in source:
            return False
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return False
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(
        (isinstance(f, ast.Name) and f.id == "Ferryman") or (isinstance(f, ast.Attribute) and f.attr == "Ferryman")
        for f in calls
    )


# -- finding -------------------------------------------------------------------------------------


def _usual(folder: Path) -> str:
    """app.py or jobs.py, whichever makes an app; a broken one is better named than skipped."""
    there = [name for name in USUAL if (folder / name).is_file()]
    if not there:
        raise TargetNotFound(
            f"No TARGET was given, and there is no {' or '.join(USUAL)} in {folder}.", hint=_advice(folder)
        )
    return next((name for name in there if _makes_app(folder / name)), there[0])


def _is_file(place: str) -> bool:
    return place.endswith(".py") or "/" in place


def _advice(folder: Path, place: str = "") -> str:
    """What to type instead."""
    found = targets_in(folder)
    if not found:
        return "Name a file that holds `app = Ferryman()`, such as: ferryman serve jobs.py"
    as_module = [path.removesuffix(".py").replace("/", ".") for path in found]
    suggestion = did_you_mean(place, found if _is_file(place) else as_module)
    return f"{suggestion} Files with jobs found here: {', '.join(found)}. Try: ferryman serve {found[0]}".strip()


# -- importing -----------------------------------------------------------------------------------


def _import_file(place: str, folder: Path) -> ModuleType:
    path = (folder / place).resolve()
    if not path.is_file():
        what = f"{place} is a folder." if path.is_dir() else f"There is no file {place}."
        raise TargetNotFound(what, hint=_advice(folder, place))
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    _first_on_path(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetNotFound(f"{place} is no Python file.", hint=_advice(folder, place))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(place, error, path.parent) from error
    return module


def _module_name(path: Path) -> str:
    """The file's own name, so that its neighbours may import it; another one where that is taken already."""
    taken = sys.modules.get(path.stem)
    ours = taken is None or getattr(taken, "__file__", None) == str(path)
    return path.stem if ours else f"ferryman_target_{path.stem}"


def _import_module(place: str, folder: Path) -> ModuleType:
    if not all(part.isidentifier() for part in place.split(".")):
        raise TargetNotFound(f"{place!r} is neither a file nor a module.", hint=_advice(folder, place))
    _first_on_path(folder)
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise _broken(place, error, folder) from error
        raise TargetNotFound(
            f"There is no module {place}.",
            why=f"No module named {error.name!r} can be imported from {folder}.",
            hint=_advice(folder, place),
        ) from error
    except (Exception, SystemExit) as error:
        raise _broken(place, error, folder) from error


def _first_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _broken(place: str, error: BaseException, folder: Path) -> TargetBroken:
    hint = "Fix that line, then start again."
    if isinstance(error, ImportError) and "relative import" in str(error):
        hint = "A file inside a package is named as a module: ferryman serve package.module"
    if isinstance(error, SystemExit):
        hint = 'Put what exits below `if __name__ == "__main__":`.'
    text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    return TargetBroken(f"{place} raised while it was imported.", why=f"{text} ({_where(error, folder)})", hint=hint)


def _where(error: BaseException, folder: Path) -> str:
    """The line to look at: the last one of the user's own code, else the last one there is."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(Path(frame.filename), folder)]
    last = (own or frames)[-1]
    return f"{last.filename}, line {last.lineno}: {last.line}"


def _is_own(file: Path, folder: Path) -> bool:
    return file.is_relative_to(folder) and "site-packages" not in file.parts


# -- the app -------------------------------------------------------------------------------------


def _app_of(module: ModuleType, place: str, name: str, folder: Path) -> Ferryman:
    apps = {key: value for key, value in vars(module).items() if isinstance(value, Ferryman)}
    if name:
        if name in apps:
            return apps[name]
        held = f"It holds {', '.join(apps)}." if apps else "It holds no Ferryman object at all."
        kind = type(vars(module)[name]).__name__ if name in vars(module) else ""
        what = f"{name} in {place} is no Ferryman, it is of type {kind}." if kind else f"{place} has no {name}."
        raise TargetWithoutApp(what, why=held, hint=did_you_mean(name, apps) or _advice(folder))
    if apps:
        return next(iter(apps.values()))
    raise TargetWithoutApp(
        f"{place} holds no Ferryman object.",
        why="The app has to be a variable of the module, not of a function.",
        hint=f"Add `app = Ferryman()` and declare jobs with @app.job. {_others(folder, place)}".strip(),
    )


def _others(folder: Path, place: str) -> str:
    found = [name for name in targets_in(folder) if name != place]
    return f"Files with jobs found here: {', '.join(found)}." if found else ""
