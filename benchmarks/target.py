"""The jobs that the benchmarks run."""

from __future__ import annotations

from ferryman import Ferryman

app = Ferryman()


@app.job
async def noop(text: str = "") -> None:
    """Nothing: what is measured is the queue."""
