"""How a page is looked at: the colours that the system prefers, and the size of the window."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Scheme = Literal["light", "dark"]


class Look(NamedTuple):
    """Colours, and a window in CSS pixels."""

    scheme: Scheme = "light"
    width: int = 1280
    height: int = 800


DESK: Final = Look()
DARK: Final = Look("dark")
PHONE: Final = Look("light", 390, 844)
DARK_PHONE: Final = Look("dark", 390, 844)
HUGE: Final = Look("light", 3840, 2160)
LOOKS: Final = {"light": DESK, "dark": DARK, "phone": PHONE, "dark-phone": DARK_PHONE, "4k": HUGE}
