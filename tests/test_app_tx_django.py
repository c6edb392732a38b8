"""`enqueue(tx=connection)` with Django's connection, in a process of its own: Django is configured once in each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.postgres.databases import Databases
from tests.test_app_tx_postgres import TASKS
from tests.test_examples import environment

SCRIPT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import django
from django.conf import settings

url, database, tasks = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
settings.configure(DATABASES={"default": database})
django.setup()
from django.db import connection, connections, transaction
from ferryman import Ferryman, errors
from ferryman.store.protocol import JobFilter

app = Ferryman(url)
woken = []
app._bridge.wake_soon = lambda: woken.append(True)

@app.job
def add(a: int) -> int:
    return a

app.wake()
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE note (number int)")

def play(number, commit):
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO note VALUES (%s)", [number])
            add.call(number).enqueue(tx=connection if number % 2 else connections["default"])
            assert not woken
            if not commit:
                raise KeyError
    except KeyError:
        assert not woken
    else:
        assert woken
    woken.clear()

for number in range(12):
    play(number, number % 3 != 0)
with transaction.atomic():
    try:
        with transaction.atomic():
            add.call(99).enqueue(tx=connection)
            raise KeyError
    except KeyError:
        pass
def together(number):
    # each thread has a connection of its own
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO note VALUES (%s)", [number])
            add.call(number).enqueue(tx=connection)
            if number % 3 == 0:
                raise KeyError
    except KeyError:
        pass
    finally:
        connection.close()

assert not woken
with ThreadPoolExecutor(8) as pool:
    list(pool.map(together, range(12, 12 + tasks)))
try:
    add.call(1).enqueue(tx=connection)
except errors.TransactionImpossible as error:
    assert "No transaction is open" in str(error), error
else:
    raise SystemExit("not refused")
async def read(client):
    return sorted(json.loads(job.payload)["a"] for job in await client.list(JobFilter()))
with connection.cursor() as cursor:
    cursor.execute("SELECT number FROM note ORDER BY number")
    notes = [row[0] for row in cursor.fetchall()]
jobs = app._bridge.call(read, "")
assert jobs == notes == [n for n in range(12 + tasks) if n % 3], (jobs, notes)
app.close()
"""


def play(url: str, database: str, tasks: int) -> None:
    """`tasks` more transactions, on eight threads."""
    command = [sys.executable, "-c", SCRIPT, url, database, str(tasks)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_on_postgresql(postgres: Databases) -> None:
    url = postgres.fresh()
    parts = urlsplit(url)
    play(
        url,
        f'{{"ENGINE": "django.db.backends.postgresql", "NAME": "{parts.path[1:]}", "USER": "{parts.username}",'
        f' "HOST": "{parts.hostname}", "PORT": "{parts.port}"}}',
        TASKS,
    )
    postgres.drop(url)


def test_on_a_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    play(f"sqlite:///{path}", f'{{"ENGINE": "django.db.backends.sqlite3", "NAME": "{path}"}}', 0)
