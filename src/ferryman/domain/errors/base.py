"""What all errors have."""

from __future__ import annotations

DOCS = "https://ferryman.readthedocs.io/errors"


class FerrymanError(Exception):
    """What happened, why, and what to do; `code` names it for ever (docs/errors.md)."""

    code = "FM000"

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    @property
    def link(self) -> str:
        """The page that explains this code."""
        return f"{DOCS}#{self.code}"

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.code}:", self.what, self.why, self.hint) if part)
