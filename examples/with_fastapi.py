"""FastAPI with the jobs in the same process: one program to start, and the queue's own API below /queue.

uvicorn with_fastapi:site
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ferryman import Ferryman
from ferryman.embed import running

app = Ferryman()


@app.job(max_attempts=5, timeout=30)
async def resize(picture: str, width: int) -> str:
    await asyncio.sleep(0)  # here is where the work would be
    return f"{picture}-{width}px"


@asynccontextmanager
async def lifespan(site: FastAPI) -> AsyncGenerator[None]:
    async with running(app, worker_count=4) as server:
        site.mount("/queue", server.asgi)
        yield


site = FastAPI(lifespan=lifespan)


@site.post("/pictures/{picture}", status_code=202)
async def upload(picture: str, width: int = 640) -> dict[str, str]:
    handle = await resize.aenqueue(picture, width)
    return {"job": handle.id, "see": f"/queue/jobs/{handle.id}"}


@site.get("/thumbnails/{job}")
async def thumbnail(job: str) -> dict[str, str]:
    return {"picture": await resize.handle(job).aresult(timeout=10)}
