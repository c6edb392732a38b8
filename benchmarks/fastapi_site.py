"""A FastAPI endpoint that does one durable insert, as its users would write it: what POST /jobs is compared with."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
from fastapi import FastAPI
from pydantic import BaseModel

URL = os.environ["SITE_DATABASE_URL"]
TABLE = "CREATE TABLE IF NOT EXISTS job (id text PRIMARY KEY, type text, payload text, created_at text)"


class NewJob(BaseModel):
    """What comes in."""

    type: str
    payload: dict[str, Any] = {}


class Job(NewJob):
    """What goes out."""

    id: str
    status: str
    created_at: datetime


def new(asked: NewJob) -> tuple[Job, tuple[str, str, str, str]]:
    """The job, and its row."""
    job = Job(
        type=asked.type, payload=asked.payload, id=str(uuid.uuid4()), status="pending", created_at=datetime.now(UTC)
    )
    return job, (job.id, job.type, msgspec.json.encode(job.payload).decode(), job.created_at.isoformat())


def on_sqlite(path: str) -> FastAPI:
    """One connection, used by one thread at a time; durable as Ferryman's: WAL, synchronous=FULL."""
    app = FastAPI()
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(TABLE)

    @app.post("/jobs", status_code=201)
    async def create(asked: NewJob) -> Job:
        """On the loop: a commit takes less than a hop to a thread and back, and nobody else writes meanwhile."""
        job, row = new(asked)
        connection.execute("INSERT INTO job VALUES (?, ?, ?, ?)", row)
        return job

    return app


def on_postgres(url: str) -> FastAPI:
    """A pool of ten connections."""
    pool: Any = None

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        nonlocal pool
        async with asyncpg.create_pool(url, min_size=10, max_size=10) as pool:
            await pool.execute(TABLE)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/jobs", status_code=201)
    async def create(asked: NewJob) -> Job:
        """One statement, one commit."""
        job, row = new(asked)
        await pool.execute("INSERT INTO job VALUES ($1, $2, $3, $4)", *row)
        return job

    return app


app = on_postgres(URL) if URL.startswith("postgres") else on_sqlite(URL)
