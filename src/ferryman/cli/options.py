"""The flags of the settings, made from the table, so that they cannot drift from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from ferryman.settings import TABLE, Setting

Command = TypeVar("Command", bound=Callable[..., Any])


def settings_options(command: Command) -> Command:
    """Add a flag for every setting; the command gets them as keyword arguments."""
    for setting in reversed(TABLE):
        command = _option(setting)(command)
    return command


def given(flags: Mapping[str, Any]) -> dict[str, str]:
    """The flags that were used, as text by field."""
    return {field: str(value) for field, value in flags.items() if value is not None}


def _option(setting: Setting) -> Callable[[Command], Command]:
    text = f"{setting.meaning} [{setting.variable}; default: {setting.default}]"
    if setting.kind.flag:
        return click.option(f"{setting.flag}/--no-{setting.flag[2:]}", setting.field, default=None, help=text)
    return click.option(setting.flag, setting.field, metavar="VALUE", default=None, help=text)
