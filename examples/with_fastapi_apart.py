"""FastAPI that only enqueues. The jobs run in processes of their own, on the same machine and the same file.

uvicorn --workers 4 with_fastapi_apart:site
ferryman work with_fastapi_apart.py --processes 2
"""

from __future__ import annotations

from fastapi import FastAPI

from ferryman import Ferryman

app = Ferryman()
site = FastAPI()


@app.job(max_attempts=5, timeout=30)
def resize(picture: str, width: int) -> str:
    return f"{picture}-{width}px"


@site.post("/pictures/{picture}", status_code=202)
async def upload(picture: str, width: int = 640) -> dict[str, str]:
    handle = await resize.aenqueue(picture, width)
    return {"job": handle.id}


@site.get("/pictures/{job}")
async def status(job: str) -> dict[str, str]:
    return {"status": await resize.handle(job).astatus()}
