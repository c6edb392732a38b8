"""What users import: these names and no others, and light to import."""

from __future__ import annotations

import subprocess
import sys

import ferryman

HEAVY = ("starlette", "uvicorn", "click", "prometheus_client", "httptools", "pydantic")


def test_the_public_names_are_pinned() -> None:
    assert sorted(ferryman.__all__) == [
        "Cancel",
        "Context",
        "Ferryman",
        "Handle",
        "Retry",
        "Secret",
        "Snooze",
        "__version__",
        "errors",
    ]
    for name in ferryman.__all__:
        assert getattr(ferryman, name) is not None


def test_the_errors_are_public_under_their_own_name() -> None:
    assert issubclass(ferryman.errors.UniqueKeyTaken, ferryman.errors.FerrymanError)


def test_importing_ferryman_loads_no_server_no_command_line_and_no_metrics() -> None:
    script = f"import sys, ferryman; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


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
