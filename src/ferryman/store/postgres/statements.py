"""The SQL files, one statement each, read once per store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

# read as files: importlib.resources would cost a fifth of the time that `import ferryman` takes
FOLDER: Final = Path(__file__).parents[1] / "sql" / "postgres"


class Statements:
    """Every statement of the PostgreSQL store, by the name of its file."""

    def __init__(self) -> None:
        self._texts = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.sql")}

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def names(self) -> Iterable[str]:
        """Every statement there is."""
        return self._texts


def migrations() -> list[tuple[int, str]]:
    """(number, script) of every migration, in order."""
    scripts = (FOLDER / "migrations").glob("*.sql")
    return sorted((int(path.name.split("_")[0]), path.read_text("utf-8")) for path in scripts)
