"""Run a module as on a machine of the shop: `python -m tests.browser.deployed shop-1 ferryman demo --live`.

Whatever runs there calls the machine by that name, and has the jobs of the demonstration from /srv/shop: pictures and
tracebacks say nothing of where they were made.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final
from unittest import mock

PACKAGE: Final = "ferryman.demo"
SRV: Final = "/srv/shop"
OPERATOR: Final = "ben"
"""Who is at the keyboard there."""


class Loader(SourceFileLoader):
    """Loads a module as if its file was at another place; tracebacks have its lines all the same."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile it, whatever compiled form there is of the true place."""
        code: CodeType = compile(self.get_data(self.path), f"{SRV}/{Path(self.path).name}", "exec", dont_inherit=True)
        return code


class Finder(MetaPathFinder):
    """Finds the modules of the demonstration."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What is to be loaded in this way."""
        parent, _, name = fullname.rpartition(".")
        if parent != PACKAGE or path is None:
            return None
        file = f"{next(iter(path))}/{name}.py"
        return spec_from_file_location(fullname, file, loader=Loader(fullname, file))


def main() -> None:
    """Read who it is, and run the rest of the line."""
    _, host, module, *arguments = sys.argv
    sys.meta_path.insert(0, Finder())
    sys.argv = [module, *arguments]
    named = mock.patch("socket.gethostname", return_value=host)
    with named, mock.patch("getpass.getuser", return_value=OPERATOR):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
