"""The flags of the settings, made from the table, so that they cannot drift from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from ferryman.settings import TABLE, Setting

Command = TypeVar("Command", bound=Callable[..., Any])
_TARGET: Final = "The file or module of the app, such as jobs.py, where that names the database."


def settings_options(command: Command) -> Command:
    """Add a flag for every setting; the command gets them as keyword arguments."""
    for setting in reversed(TABLE):
        command = _option(setting)(command)
    return command


def store_options(command: Command) -> Command:
    """Add what says whose jobs a command is about: the database, and the app that may name it."""
    command = click.option("--target", metavar="TARGET", default=None, help=_TARGET)(command)
    return some_options("database_url")(command)


def some_options(*fields: str) -> Callable[[Command], Command]:
    """Add flags for a few settings only, in this order."""

    def add(command: Command) -> Command:
        for field in reversed(fields):
            [setting] = (each for each in TABLE if each.field == field)
            command = _option(setting)(command)
        return command

    return add


def json_option(text: str) -> Callable[[Command], Command]:
    """Add --json; `text` says what is written then."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def given(flags: Mapping[str, Any]) -> dict[str, str]:
    """The flags that were used, as text by field."""
    return {field: str(value) for field, value in flags.items() if value is not None}


def arguments(flags: Mapping[str, str]) -> list[str]:
    """Flags, as `given` gives them, as another command of ours takes them."""
    found: list[str] = []
    for setting in TABLE:
        value = flags.get(setting.field)
        if value is None:
            continue
        if setting.kind.flag:
            found.append(setting.flag if value == str(True) else f"--no-{setting.flag[2:]}")
        else:
            found.append(f"{setting.flag}={value}")
    return found


def _option(setting: Setting) -> Callable[[Command], Command]:
    text = f"{setting.meaning} [{setting.variable}; default: {setting.default}]"
    if setting.kind.flag:
        return click.option(f"{setting.flag}/--no-{setting.flag[2:]}", setting.field, default=None, help=text)
    return click.option(setting.flag, setting.field, metavar="VALUE", default=None, help=text)
