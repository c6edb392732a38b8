"""The kinds of value a setting may have: how each is read from text, shown again, and described.

A reader raises ValueError for what is not allowed; its message, if any, says more than the description.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote

import msgspec

Number = TypeVar("Number", int, float)

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZES: Final = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
SWITCHES: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
SHARES: Final = range(1, 10_001)


class Kind(msgspec.Struct, frozen=True):
    """What a setting's text may be."""

    allowed: str
    """For people: completes the sentence "It has to be ..."."""
    read: Callable[[str], Any]
    show: Callable[[Any], str]
    flag: bool = False
    """Whether the command line writes it as a switch."""
    hidden: bool = False
    """Whether no text may show the value."""


def whole(low: int, high: int, note: str = "") -> Kind:
    """A whole number from `low` to `high`."""

    def read(text: str) -> int:
        if not re.fullmatch("-?[0-9]{1,20}", text):
            raise ValueError("It is not a whole number.")
        return _within(int(text), low, high)

    return Kind(f"a whole number from {low} to {high}" + (f" ({note})" if note else ""), read, str)


def duration(low: float, high: float) -> Kind:
    """A time span in seconds, from `low` to `high`."""

    def read(text: str) -> float:
        return _within(read_duration(text), low, high)

    allowed = f"a duration from {show_duration(low)} to {show_duration(high)}, such as 10, 10s, 5m, 24h or 14d"
    return Kind(allowed, read, show_duration)


def size(low: int, high: int, note: str = "") -> Kind:
    """A number of bytes, from `low` to `high`."""

    def read(text: str) -> int:
        found = re.fullmatch(f"([0-9]{{1,20}}) ?({'|'.join(SIZES)})?", text)
        if found is None:
            raise ValueError("It is not a size; the units are B, KiB, MiB and GiB, in this spelling.")
        return _within(int(found[1]) * SIZES[found[2] or "B"], low, high)

    allowed = f"a size from {show_size(low)} to {show_size(high)}, such as 1MiB, 512KiB or 1048576"
    return Kind(allowed + (f" ({note})" if note else ""), read, show_size)


def switch() -> Kind:
    """Yes or no."""

    def read(text: str) -> bool:
        if text.lower() not in SWITCHES:
            raise ValueError
        return SWITCHES[text.lower()]

    return Kind("true or false", read, lambda value: "true" if value else "false", flag=True)


def choice(*names: str) -> Kind:
    """One of a few words."""

    def read(text: str) -> str:
        if text.lower() not in names:
            raise ValueError
        return text.lower()

    return Kind(f"{', '.join(names[:-1])} or {names[-1]}", read, str)


def file(none: str) -> Kind:
    """The path of a file, or none, and what that means."""

    def read(text: str) -> str | None:
        if "\0" in text:
            raise ValueError
        return None if text == "none" else text

    return Kind(f"a path, or none: {none}", read, lambda value: value or "none")


def host() -> Kind:
    """Where to listen."""

    def read(text: str) -> str:
        if ":" in text:
            try:
                socket.inet_pton(socket.AF_INET6, text)
            except OSError:
                raise ValueError("It is not an address; the port is a setting of its own.") from None
        elif not re.fullmatch("[A-Za-z0-9._-]{1,253}", text):
            raise ValueError
        return text

    return Kind("a host name or an IP address, such as 127.0.0.1, 0.0.0.0 or ::", read, str)


class Retention(msgspec.Struct, frozen=True):
    """For how many seconds ended jobs are kept, per terminal status."""

    completed: int = 24 * 3600
    failed: int = 14 * 24 * 3600
    cancelled: int = 14 * 24 * 3600


def networks() -> Kind:
    """Addresses and networks."""

    def read(text: str) -> tuple[str, ...]:
        found = [] if text == "none" else [part.strip() for part in text.split(",")]
        return tuple(str(ip_network(part) if "/" in part else ip_address(part)) for part in found)

    allowed = "addresses and networks, such as 10.0.0.1,192.168.0.0/16, or none"
    return Kind(allowed, read, lambda value: ",".join(value) or "none")


def retention(low: int, high: int) -> Kind:
    """How long ended jobs are kept; a status that is not named keeps its default."""
    statuses = Retention.__struct_fields__

    def read(text: str) -> Retention:
        found: dict[str, int] = {}
        for part in text.split(","):
            status, equals, span = (piece.strip() for piece in part.partition("="))
            if status not in statuses or not equals:
                raise ValueError(f"Each part is status=duration; the statuses are {', '.join(statuses)}.")
            if status in found:
                raise ValueError(f"It names {status} twice.")
            seconds = _within(read_duration(span), low, high)
            if seconds != round(seconds):
                raise ValueError("Retention counts in whole seconds.")
            found[status] = round(seconds)
        return Retention(**found)

    def show(value: Retention) -> str:
        return ",".join(f"{status}={show_duration(getattr(value, status))}" for status in statuses)

    span = f"each from {show_duration(low)} to {show_duration(high)}"
    return Kind(f"durations per terminal status, such as completed=24h,failed=14d,cancelled=14d, {span}", read, show)


def queues() -> Kind:
    """Which queues a node serves, each with the share of workers that it may hold, if bounded."""

    def read(text: str) -> tuple[tuple[str, int | None], ...] | None:
        if text == "all":
            return None
        found = tuple(_queue(part.strip()) for part in text.split(","))
        names = [name for name, _ in found]
        if len(set(names)) < len(names):
            raise ValueError("It names a queue twice.")
        return found

    def show(value: tuple[tuple[str, int | None], ...] | None) -> str:
        return "all" if value is None else ",".join(f"{name}:{share}" if share else name for name, share in value)

    return Kind("all, or queues with or without a share of the workers, such as mail:4,default", read, show)


def per_queue(each: Kind, example: str) -> Kind:
    """A value for every queue, and others for those that are named; "" stands for those that are not."""

    def read(text: str) -> Any:
        found: dict[str, Any] = {}
        for part in text.split(","):
            name, colon, value = part.strip().rpartition(":")
            if colon:
                name = _name(name)
            if name in found:
                raise ValueError(f"It gives {name or 'all queues'} two values.")
            found[name] = each.read(value.strip())
        return found[""] if found.keys() == {""} else found

    def show(value: Any) -> str:
        if not isinstance(value, Mapping):
            return each.show(value)
        pairs = cast("Mapping[str, Any]", value).items()
        return ",".join(f"{name}:{each.show(one)}" if name else each.show(one) for name, one in pairs)

    return Kind(f"{each.allowed}; one for all queues, others for some, such as {example}", read, show)


def _queue(part: str) -> tuple[str, int | None]:
    name, colon, share = part.partition(":")
    _name(name)
    if not colon:
        return name, None
    if not re.fullmatch("[0-9]{1,5}", share) or int(share) not in SHARES:
        raise ValueError(f"The share of {name} is a whole number from {SHARES[0]} to {SHARES[-1]}.")
    return name, int(share)


def _name(text: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_.-]{1,128}", text):
        raise ValueError("A queue's name is 1 to 128 of a-z, A-Z, 0-9, _ . and -.")
    return text


def database_url() -> Kind:
    """Where jobs live."""

    def read(text: str) -> str:
        scheme, _, rest = text.partition("://")
        if scheme in ("postgresql", "postgres"):
            if not rest:
                raise ValueError("It names no server.")
            return text
        if scheme.startswith("postgresql+"):
            raise ValueError("It is in SQLAlchemy's form; leave out what follows the + of its scheme.")
        if text == "memory://" or scheme in ("http", "https"):
            return text
        if scheme != "sqlite" or not rest.startswith("/") or rest.endswith("/"):
            raise ValueError
        if rest == "/:memory:":
            raise ValueError("SQLite in memory cannot be shared between threads; memory:// is the store for that.")
        if "?" in rest or "\0" in rest:
            raise ValueError("The path takes no ? and no options.")
        return text

    return Kind(
        "sqlite:///relative/path, sqlite:////absolute/path, postgresql://user@host/database, memory:// or, for an app "
        "that only enqueues, http://host:port",
        read,
        hide_password,
    )


def secret() -> Kind:
    """A text that is not shown to anybody."""

    def read(text: str) -> str | None:
        if not re.fullmatch("[!-~]{1,4096}", text):
            raise ValueError
        return None if text == "none" else text

    return Kind(
        "visible ASCII characters, or none", read, lambda value: "none" if value is None else "***", hidden=True
    )


def hide_password(url: str) -> str:
    """The URL with *** in place of a password; for every text that people or logs see.

    Passwords are looked for before the @, among the parameters, and in the `name=value` form that libpq reads.
    """
    return re.sub(r"([^?&\s=]+)\s*=\s*('[^']*'|[^&\s]+)", _hide_value, re.sub(r"(://[^/@:]*):.*@", r"\1:***@", url))


def _hide_value(pair: re.Match[str]) -> str:
    return f"{pair[1]}=***" if "password" in unquote(pair[1]).lower() else pair[0]


def show_duration(seconds: float) -> str:
    """Seconds in the largest unit that leaves a whole number; a single day as 24h."""
    for unit in ("d", "h", "m", "s"):
        count = seconds / UNITS[unit]
        if count == round(count) and count >= (2 if unit == "d" else 1):
            return f"{round(count)}{unit}"
    milliseconds = round(seconds / UNITS["ms"], 6)
    return f"{milliseconds:g}ms" if seconds else "0s"


def show_size(count: int) -> str:
    """Bytes in the largest unit that leaves a whole number."""
    for unit in ("GiB", "MiB", "KiB"):
        if count and count % SIZES[unit] == 0:
            return f"{count // SIZES[unit]}{unit}"
    return str(count)


def read_duration(text: str) -> float:
    """Seconds from `10`, `1.5s`, `5m`, `24h`, `14d` or `200ms`."""
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(ms|s|m|h|d)?", text)
    if found is None:
        raise ValueError("It is not a duration; the units are ms, s, m, h and d.")
    return float(found[1]) * UNITS[found[2] or "s"]


def _within(value: Number, low: float, high: float) -> Number:
    if not low <= value <= high:
        raise ValueError("It is out of range.")
    return value
