"""Who runs the server: PostgreSQL refuses to run as root, so root lets somebody without rights run it."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NOBODY: Final = "nobody"


@dataclass(frozen=True)
class Account:
    """A user and a group, by number."""

    uid: int
    gid: int

    @property
    def switch(self) -> dict[str, Any]:
        """What tells `subprocess` to run a program as this user, in no other group."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, folder: Path) -> None:
        """Make a folder and all that is in it this user's."""
        os.chown(folder, self.uid, self.gid)
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)


def server_account() -> Account | None:
    """The user to switch to for the server; None if it can run as who we are."""
    if os.geteuid():
        return None
    nobody = pwd.getpwnam(NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)
