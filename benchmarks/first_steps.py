"""A new user's first minute, timed: from nothing but Python to the first result of a job.

    python benchmarks/first_steps.py

Builds the wheel, then does in a new folder what a newcomer does: a virtual environment, pip install, a file of
five lines, `ferryman dev jobs.py`, one job, its result. Prints what each step took, what was installed, and what
`import ferryman` costs. Ends with 1 if a budget is exceeded.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

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
IMPORTS = {
    "import ferryman": True,
    "import jobs": True,
    "import jobs; jobs.greet.enqueue('Ada')": False,
    "import asyncio": False,
}
"""What is measured, and whether the budget is for it; `jobs` are the five lines."""
ROUNDS = 25
LARGEST = 6
"""How many packages are named."""


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


def cpu_seconds(python: Path, code: str, folder: Path) -> float:
    """What a start of Python costs its processor: a busy machine makes it wait longer, but not compute much longer."""
    # isolated from PYTHONPATH and its like: what counts is what was installed
    child = subprocess.Popen([str(python), "-I", "-c", f"import sys; sys.path.insert(0, '.'); {code}"], cwd=folder)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{code} ended with {child.returncode}.")
    return used.ru_utime + used.ru_stime


def import_costs(python: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """Best and median of what each of `IMPORTS` adds to a start of Python, by its code; all of them take turns."""
    rounds = [{code: cpu_seconds(python, code, folder) for code in ("pass", *IMPORTS)} for _ in range(ROUNDS + 1)]
    warm = rounds[1:]  # the first one reads from the disk, and compiles
    bare = min(each["pass"] for each in warm)
    return {
        code: (
            min(each[code] for each in warm) - bare,
            statistics.median(each[code] - each["pass"] for each in warm),
        )
        for code in IMPORTS
    }


def print_imports(costs: dict[str, tuple[float, float]]) -> None:
    """A line for each."""
    for code, (best, median) in costs.items():
        budget = f"budget {IMPORT_BUDGET * 1000:g} ms" if IMPORTS[code] else "for scale"
        print(f"{code:<40}{median * 1000:8.0f} ms  {budget}; best {best * 1000:.0f} ms, CPU time, median of {ROUNDS}")


class Installed(NamedTuple):
    """What an installation has put on the disk, in megabytes."""

    by_package: dict[str, float]
    """The largest first."""
    compiled: float
    """The part of it that pip compiled from the sources: paid for like the rest."""
    packages: int

    @property
    def megabytes(self) -> float:
        """All of it."""
        return sum(self.by_package.values())


def site_files(python: Path, folder: Path) -> dict[Path, int]:
    """The files that an environment has for its programs, below their common folder, and their bytes."""
    place = Path(run(python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    return {file.relative_to(place): file.stat().st_size for file in place.rglob("*") if file.is_file()}


def installed(before: Collection[Path], after: Mapping[Path, int]) -> Installed:
    """What was added; a new environment has pip, and below Python 3.12 setuptools, which are not ours."""
    added = {file: size / 1e6 for file, size in after.items() if file not in before}
    by_package: defaultdict[str, float] = defaultdict(float)
    for file, size in added.items():
        by_package[file.parts[0].partition("-")[0].removesuffix(".py")] += size
    compiled = sum(size for file, size in added.items() if file.suffix == ".pyc")
    packages = {file.parts[0] for file in added if file.parts[0].endswith(".dist-info")}
    largest = sorted(by_package.items(), key=lambda part: -part[1])
    return Installed(dict(largest), compiled, len(packages))


def print_installed(found: Installed) -> None:
    """The sum, and what it is made of."""
    print(f"{'installed':<40}{found.megabytes:8.1f} MB  budget {INSTALL_BUDGET:g} MB; {found.packages} packages")
    parts = ", ".join(f"{name} {size:.1f}" for name, size in list(found.by_package.items())[:LARGEST])
    print(f"{'':<40}{'':8}     {parts}, ...; {found.compiled:.1f} of it compiled by pip")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="first-steps-") as name:
        folder = Path(name)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
        (wheel,) = folder.glob("ferryman-*.whl")
        steps, python = Steps(), folder / "env" / "bin" / "python"
        steps.time("python -m venv env", lambda: run(sys.executable, "-m", "venv", "env", cwd=folder))
        before = site_files(python, folder)
        steps.time("pip install ferryman", lambda: install(python, wheel, folder))
        found = installed(before, site_files(python, folder))
        (folder / "jobs.py").write_text(FIVE_LINES)
        command = [str(python.with_name("ferryman")), "dev", "jobs.py", "--port", "0"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            url = steps.time("ferryman dev jobs.py, until it listens", lambda: first_line(process))
            result = steps.time("the first job, until its result is there", lambda: first_result(url))
            process.terminate()
        print(f"{'in all':<40}{steps.total:8.2f} s   budget {TOTAL_BUDGET:g} s; result {result!r}; services: 0")
        print_installed(found)
        costs = import_costs(python, folder)
        print_imports(costs)
        loaded = run(python, "-I", "-c", "import sys, ferryman; print(*sys.modules)", cwd=folder).split()
        shunned = [each for each in SHUNNED if each in loaded]
        print(f"{'imported though not needed':<40}{', '.join(shunned) or 'nothing':>8}")
        light = all(median < IMPORT_BUDGET for code, (_, median) in costs.items() if IMPORTS[code])
        within = steps.total < TOTAL_BUDGET and found.megabytes < INSTALL_BUDGET and light and not shunned
        return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
