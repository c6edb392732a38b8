"""Settings and targets: FM1xx."""

from __future__ import annotations

from ferryman.domain.errors.base import FerrymanError


class SettingsError(FerrymanError):
    """A setting or a target is wrong."""

    code = "FM100"


class BadSetting(SettingsError):
    """A setting has a value that is not allowed."""

    code = "FM101"


class UnknownSetting(SettingsError):
    """A setting has a name that does not exist."""

    code = "FM102"


class BadSettingsFile(SettingsError):
    """The settings file cannot be read as TOML."""

    code = "FM103"


class TargetNotFound(SettingsError):
    """The file or module that should hold the app is not there."""

    code = "FM110"


class TargetBroken(SettingsError):
    """The target raised while it was imported."""

    code = "FM111"


class TargetWithoutApp(SettingsError):
    """The target was imported, but holds no `Ferryman` object."""

    code = "FM112"


class StartupFailed(SettingsError):
    """A startup hook of the app raised; nothing was started."""

    code = "FM113"


class PortInUse(SettingsError):
    """The address to serve on cannot be had."""

    code = "FM120"


class ToolMissing(SettingsError):
    """A command or package that is needed is not installed."""

    code = "FM121"


class NotConfirmed(SettingsError):
    """A command that changes many jobs was neither confirmed nor told --yes; nothing was changed."""

    code = "FM122"


class OpenToAll(SettingsError):
    """HTTP would listen for other machines, and no API key would keep anybody out."""

    code = "FM123"
