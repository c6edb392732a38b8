"""Where in the user's code an exception comes from."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final

from ferryman.domain.error_groups import NAME_MAX

_LIBRARY: Final = (f"{Path(os.__file__).parent}{os.sep}", "<frozen ")
"""How the files of the standard library begin, and of what is installed into it."""
_FERRYMAN: Final = f"{Path(__file__).parents[1]}{os.sep}"
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def frame_of(trace: TracebackType | None, ferryman: str = _FERRYMAN) -> str | None:
    """The innermost place that the user wrote, such as mail.py:send, without its line, which moves with every edit.

    Where everything is installed, as in an image that has the user's own package installed, it is the handler.
    `ferryman` is how the names of Ferryman's own files begin.
    """
    handler = own = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if not _is_foreign(code.co_filename, ferryman):
            handler = handler or code
            own = own if _is_installed(code.co_filename) else code
        trace = trace.tb_next
    found = own or handler
    return None if found is None else f"{found.co_filename.rpartition(os.sep)[2]}:{found.co_name}"[:NAME_MAX]


def _is_foreign(file: str, ferryman: str) -> bool:
    """Whether a file is Ferryman's or the standard library's; the demo stands for a user's."""
    if file.startswith(ferryman):
        return not file.startswith(f"{ferryman}demo{os.sep}")
    return file.startswith(_LIBRARY) and not _is_installed(file)


def _is_installed(file: str) -> bool:
    return any(folder in file for folder in _INSTALLED)
