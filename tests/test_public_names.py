"""What users import: these names and no others, and light to import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import ModuleType

import pytest

import ferryman
from ferryman import at_first_use, client

NEVER = ("starlette", "uvicorn", "click", "prometheus_client", "httptools", "pydantic", "ctypes")
"""What no program needs that only declares and enqueues."""
AT_FIRST_USE = (
    "asyncio",
    "concurrent.futures",
    "hashlib",
    "random",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tomllib",
    "ferryman.client.verbs",
    "ferryman.connecting",
    "ferryman.settings",
)
"""What an app needs when it enqueues, and not while it is declared."""
DECLARED = """
import sys
from ferryman import Context, Ferryman

app = Ferryman()

@app.job
def send(to: str, copies: int = 1) -> str: return to

@app.job_with_context(retry=[1, 2])
async def store(ctx: Context, rows: list[int]) -> None: ...

@app.on_failure
def tell(ctx: Context, error: BaseException) -> None: ...

call = send.call("a").later(30)
"""


def test_the_public_names_are_pinned() -> None:
    assert sorted(ferryman.__all__) == [
        "Cancel",
        "Context",
        "Ferryman",
        "Handle",
        "PerKey",
        "Retry",
        "Secret",
        "Sequence",
        "Snooze",
        "__version__",
        "errors",
    ]
    for name in ferryman.__all__:
        assert getattr(ferryman, name) is not None


def test_the_errors_are_public_under_their_own_name() -> None:
    assert issubclass(ferryman.errors.UniqueKeyTaken, ferryman.errors.FerrymanError)


def loaded_of(names: Sequence[str], script: str) -> list[str]:
    """Which of these modules a new process has loaded after a script."""
    told = f"{script}\nimport sys; print(*(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_ferryman_loads_no_server_no_command_line_and_no_metrics() -> None:
    assert loaded_of((*NEVER, *AT_FIRST_USE), "import ferryman") == []


def test_declaring_jobs_loads_no_event_loop_no_store_and_no_settings() -> None:
    assert loaded_of((*NEVER, *AT_FIRST_USE), DECLARED) == []


def test_the_first_enqueue_loads_what_it_needs() -> None:
    enqueued = DECLARED.replace("Ferryman()", "Ferryman('memory://')") + "call.enqueue()"
    assert loaded_of((*NEVER, *AT_FIRST_USE), enqueued) == list(AT_FIRST_USE)


@pytest.mark.parametrize("module", [at_first_use, client], ids=lambda module: module.__name__)
def test_what_is_loaded_late_is_what_it_says_it_is(module: ModuleType) -> None:
    assert {name for name in module.__all__ if getattr(module, name).__name__ != name} == set()
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        module.conect  # noqa: B018 - it is looked up


def test_the_help_of_the_command_line_loads_no_server() -> None:
    script = (
        "import sys\nfrom ferryman.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n"
        "    print([name for name in ('starlette', 'uvicorn') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "Usage: ferryman" in done.stdout
