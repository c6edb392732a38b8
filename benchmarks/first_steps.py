"""A new user's first minute, timed: from nothing but Python to the first result of a job.

    python benchmarks/first_steps.py

Builds the wheel, then does in a new folder what a newcomer does: a virtual environment, pip install, a file of
five lines, `ferryman dev jobs.py`, one job, its result. Prints what each step took, what was installed, and what
`import ferryman` costs. Ends with 1 if a budget is exceeded.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FIVE_LINES = """\
from ferryman import Ferryman
app = Ferryman()
@app.job
def greet(name: str) -> str:
    return f"Hello, {name}!"
"""
TOTAL_BUDGET = 60.0
IMPORT_BUDGET = 0.060
INSTALL_BUDGET = 25.0
SHUNNED = ("starlette", "uvicorn", "click", "prometheus_client")
"""What `import ferryman` must not pull in."""
ROUNDS = 15


class Steps:
    """Runs steps and remembers what each took."""

    def __init__(self) -> None:
        self.total = 0.0

    def time(self, name: str, step: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        answer = step()
        seconds = time.perf_counter() - began
        self.total += seconds
        print(f"{name:<40}{seconds:8.2f} s")
        return answer


def run(*command: object, cwd: Path) -> str:
    return subprocess.run([*map(str, command)], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def install(python: Path, wheel: Path, folder: Path) -> None:
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)


def first_line(process: subprocess.Popen[str]) -> str:
    """The URL of the ready line."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ferryman listening on "):
            return line.split()[-1]
    raise SystemExit("The server did not start.")


def first_result(url: str) -> str:
    """Hand a job in with nothing but the standard library, and look until it has ended."""
    body = json.dumps({"type": "greet", "payload": {"name": "Ada"}}).encode()
    request = urllib.request.Request(f"{url}/jobs", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        id = json.load(answer)["id"]
    while True:
        with urllib.request.urlopen(f"{url}/jobs/{id}", timeout=10) as answer:
            job = json.load(answer)
        if job["status"] == "completed":
            return str(job["result"])


def import_seconds(python: Path, folder: Path) -> float:
    """The median of what `import ferryman` adds to a start of Python."""

    def start(code: str) -> float:
        began = time.perf_counter()
        run(python, "-c", code, cwd=folder)
        return time.perf_counter() - began

    return statistics.median(start("import ferryman") - start("pass") for _ in range(ROUNDS))


def installed(python: Path, folder: Path) -> tuple[float, int]:
    """Megabytes and number of packages, without pip and setuptools."""
    place = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    own = [path for path in place.iterdir() if not path.name.startswith(("pip", "setuptools", "_distutils"))]
    files = [file for path in own for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6, sum(path.suffix == ".dist-info" for path in own)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="first-steps-") as name:
        folder = Path(name)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
        (wheel,) = folder.glob("ferryman-*.whl")
        steps, python = Steps(), folder / "env" / "bin" / "python"
        steps.time("python -m venv env", lambda: run(sys.executable, "-m", "venv", "env", cwd=folder))
        steps.time("pip install ferryman", lambda: install(python, wheel, folder))
        (folder / "jobs.py").write_text(FIVE_LINES)
        command = [str(python.with_name("ferryman")), "dev", "jobs.py", "--port", "0"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            url = steps.time("ferryman dev jobs.py, until it listens", lambda: first_line(process))
            result = steps.time("the first job, until its result is there", lambda: first_result(url))
            process.terminate()
        print(f"{'in all':<40}{steps.total:8.2f} s   budget {TOTAL_BUDGET:g} s; result {result!r}; services: 0")
        megabytes, packages = installed(python, folder)
        print(f"{'installed':<40}{megabytes:8.1f} MB  budget {INSTALL_BUDGET:g} MB; {packages} packages")
        seconds = import_seconds(python, folder)
        print(f"{'import ferryman':<40}{seconds * 1000:8.0f} ms  budget {IMPORT_BUDGET * 1000:g} ms")
        loaded = run(python, "-c", "import sys, ferryman; print(*sys.modules)", cwd=folder).split()
        shunned = [each for each in SHUNNED if each in loaded]
        print(f"{'imported though not needed':<40}{', '.join(shunned) or 'nothing':>8}")
        within = steps.total < TOTAL_BUDGET and megabytes < INSTALL_BUDGET and seconds < IMPORT_BUDGET and not shunned
        return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
