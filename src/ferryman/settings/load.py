"""Finds each setting's value: flag, then the app's own argument, then environment, file, default."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec

from ferryman.domain.errors import BadSetting, BadSettingsFile, SettingsError, UnknownSetting
from ferryman.domain.suggest import did_you_mean
from ferryman.settings.kinds import hide_password
from ferryman.settings.table import PREFIX, TABLE, Setting, Settings

FILE: Final = "ferryman.toml"
PROJECT_FILE: Final = "pyproject.toml"
TEST_PREFIX: Final = "FERRYMAN_TEST_"
"""The environment of the test suite, which is no setting."""
LONGEST_SHOWN: Final = 100
BEATS_PER_LEASE: Final = 3
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and by field where each value came from: flag, argument, variable, file or default."""

    settings: Settings
    sources: Mapping[str, str]


class Found(msgspec.Struct, frozen=True):
    """A value as somebody wrote it."""

    text: str
    spelled: str
    """How the writer named the setting, for error texts."""
    source: str
    secret_file: str = ""
    """The file that the text was read from; it is named in errors, the text is not."""


def load(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    folder: Path,
    arguments: Mapping[str, object] = NOTHING,
) -> Loaded:
    """Read the settings; the first source that names one wins.

    Args:
        flags: text by field, from the command line.
        environ: the environment.
        folder: where ferryman.toml or pyproject.toml may lie.
        arguments: values by field, as given to `Ferryman(...)`.

    Raises:
        BadSetting: a value is not allowed; the text names the setting, the value and what is allowed.
        UnknownSetting: a name is no setting.
        BadSettingsFile: the file cannot be read.
    """
    loaded, problems = examine(flags, environ, folder, arguments)
    if problems:
        raise problems[0]
    return loaded


def examine(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    folder: Path,
    arguments: Mapping[str, object] = NOTHING,
) -> tuple[Loaded, list[SettingsError]]:
    """Read the settings and everything that is wrong with them; a bad value is replaced by its default."""
    problems: list[SettingsError] = []
    try:
        file, name = _read_file(folder)
    except BadSettingsFile as error:
        problems.append(error)
        file, name = NOTHING, FILE
    problems += _unknown_names(environ, file, name, arguments)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in TABLE:
        try:
            found = _find(setting, flags, arguments, environ, file, name)
            if found is not None:
                values[setting.field] = _read(setting, found)
                sources[setting.field] = found.source
        except SettingsError as error:
            problems.append(error)
    settings = Settings(**values)
    sources = {setting.field: sources.get(setting.field, "default") for setting in TABLE}
    if not problems:
        problems += _contradictions(settings)
    return Loaded(settings, sources), problems


# -- sources -------------------------------------------------------------------------------------


def _find(
    setting: Setting,
    flags: Mapping[str, str],
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    file: Mapping[str, Any],
    file_name: str,
) -> Found | None:
    field = setting.field
    if field in flags:
        return Found(flags[field], setting.flag, f"flag {setting.flag}")
    if field in arguments:
        return Found(_text(arguments[field]), f"{field}= of Ferryman()", "argument of Ferryman()")
    if (found := _in_environment(setting, environ)) is not None:
        return found
    if field in file:
        return Found(_text(file[field]), f"{field} in {file_name}", f"file {file_name}")
    return None


def _in_environment(setting: Setting, environ: Mapping[str, str]) -> Found | None:
    file_variable = f"{setting.variable}_FILE"
    if setting.secret and file_variable in environ:
        if setting.variable in environ:
            raise BadSetting(f"{setting.variable} and {file_variable} are both set.", hint="Remove one of the two.")
        path = environ[file_variable]
        return Found(_read_secret(file_variable, path), file_variable, f"environment {file_variable}", path)
    names = (setting.variable, setting.name) if setting.bare else (setting.variable,)
    for name in names:
        if name in environ:
            return Found(environ[name], name, f"environment {name}")
    return None


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"{variable} is {path!r}, which cannot be read.",
            why=f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}.",
            hint="It has to be the path of a text file that holds the value.",
        ) from error


def _read_file(folder: Path) -> tuple[Mapping[str, Any], str]:
    """The table of ferryman.toml, else [tool.ferryman] of pyproject.toml, else nothing; and the file's name."""
    for name in (FILE, PROJECT_FILE):
        path = folder / name
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise BadSettingsFile(
                f"{path} cannot be read.",
                why=f"{type(error).__name__}: {error}.",
                hint="It has to be a TOML file in UTF-8; see docs/operations.md for its shape.",
            ) from error
        if name == FILE:
            return document, name
        table: Any = document.get("tool", {}).get("ferryman")
        if isinstance(table, dict):
            return cast(Mapping[str, Any], table), f"[tool.ferryman] of {name}"
    return NOTHING, FILE


def _unknown_names(
    environ: Mapping[str, str], file: Mapping[str, Any], file_name: str, arguments: Mapping[str, object]
) -> Iterator[SettingsError]:
    fields = {setting.field for setting in TABLE}
    variables = {setting.variable for setting in TABLE}
    variables |= {f"{setting.variable}_FILE" for setting in TABLE if setting.secret}
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in variables:
            yield _unknown(name, "in the environment", did_you_mean(name, variables), environ[name])
    for name in sorted(file):
        if name not in fields:
            yield _unknown(name, f"in {file_name}", did_you_mean(name, fields))
    for name in sorted(arguments):
        if name not in fields:
            yield _unknown(name, "among the arguments of Ferryman()", did_you_mean(name, fields))


def _unknown(name: str, where: str, suggestion: str, value: str = "") -> UnknownSetting:
    hint = "`ferryman config` lists every setting."
    if value.startswith("tcp://") or "_SERVICE_" in name:
        suggestion = "Kubernetes sets it for a Service called ferryman: set enableServiceLinks: false in the pod."
    return UnknownSetting(f"{name} {where} is no setting of Ferryman.", hint=f"{suggestion} {hint}".strip())


# -- values --------------------------------------------------------------------------------------


def _read(setting: Setting, found: Found) -> Any:
    text = found.text.strip()
    try:
        if not text:
            raise ValueError("It is empty.")
        return setting.kind.read(text)
    except ValueError as error:
        value = _shown(hide_password(text))
        if found.secret_file or setting.kind.hidden:
            value = f"what {found.secret_file!r} holds" if found.secret_file else "a text that is not shown"
        raise BadSetting(
            f"{found.spelled} is {value}, which is not allowed.",
            why=f"{error} It has to be {setting.kind.allowed}.".strip(),
            hint=f"Give it such a value, or leave it out for the default, {setting.default}.",
        ) from None


def _shown(text: str) -> str:
    return repr(text) if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]!r}..."


def _text(value: object) -> str:
    """A value of a TOML file or of Python in the words of the environment."""
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(map(_text, cast(Sequence[object], value)))
        case dict():
            return ",".join(f"{name}={_text(each)}" for name, each in cast(Mapping[str, object], value).items())
        case _:
            return str(value)


def _contradictions(settings: Settings) -> Iterator[BadSetting]:
    if settings.lease < BEATS_PER_LEASE * settings.beat:
        yield BadSetting(
            f"FERRYMAN_LEASE is {settings.lease:g} s and FERRYMAN_BEAT is {settings.beat:g} s.",
            why=f"A lease has to last at least {BEATS_PER_LEASE} beats, or one late beat makes a live node look dead.",
            hint=f"Set LEASE to {BEATS_PER_LEASE * settings.beat:g}s or more, or BEAT to less.",
        )
