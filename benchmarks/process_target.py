"""What `processes.py` runs: a module that imports little, as start times depend on that."""

from __future__ import annotations

from ferryman import Ferryman

app = Ferryman()


@app.job(process=True)
def noop() -> None:
    """Nothing: what is measured is the way there and back."""
