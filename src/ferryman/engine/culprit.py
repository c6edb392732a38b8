"""Where in the user's code an exception comes from."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final

from ferryman.domain.error_groups import NAME_MAX

_FOREIGN: Final = (f"{Path(os.__file__).parent}{os.sep}", f"{Path(__file__).parents[1]}{os.sep}", "<frozen ")
"""How the files of the standard library and of Ferryman itself begin."""
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def frame_of(trace: TracebackType | None) -> str | None:
    """The innermost place that the user wrote, such as mail.py:send, without its line, which moves with every edit.

    Where everything is installed, as in an image that has the user's own package installed, it is the handler.
    """
    handler = own = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_FOREIGN) or _is_installed(code.co_filename):
            handler = handler or code
            own = own if _is_installed(code.co_filename) else code
        trace = trace.tb_next
    found = own or handler
    return None if found is None else f"{found.co_filename.rpartition(os.sep)[2]}:{found.co_name}"[:NAME_MAX]


def _is_installed(file: str) -> bool:
    return any(folder in file for folder in _INSTALLED)
