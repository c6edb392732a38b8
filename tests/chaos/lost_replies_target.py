"""What the server of the campaign runs, and what the campaign calls."""

from __future__ import annotations

from ferryman import Ferryman

app = Ferryman()


@app.job
async def note(n: int) -> int:
    return n
