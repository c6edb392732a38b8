"""The queue `images`: customers' pictures take turns, some are broken, and videos take their time."""

from __future__ import annotations

import random
from typing import Literal

from ferryman import Cancel, Context, Ferryman, PerKey
from ferryman.calls import Call
from ferryman.demo.order import Order, customer
from ferryman.demo.surroundings import Surroundings

Format = Literal["jpeg", "png", "webp"]
Profile = Literal["480p", "1080p", "4k"]


class BrokenImage(ValueError):
    """No picture can be made of the file."""


def declare(app: Ferryman, around: Surroundings) -> list[Order]:
    """Declare the types of the queue; gives what comes up for it."""
    darkroom = Darkroom(around)

    @app.job(
        queue="images",
        priority=7,
        max_attempts=3,
        timeout=30,
        retry=[1, 5],
        never=[BrokenImage, ZeroDivisionError],
        per_key=PerKey("shop", concurrency=3, share=1),
    )
    def make_thumbnail(shop: str, file: str, width: int = 320, format: Format = "webp") -> dict[str, object]:
        """Make a small picture of a large one, in a thread."""
        around.block(0.35)
        size = darkroom.size_of(file)
        return {"file": f"{shop}/{file}.{format}", "width": width, "height": darkroom.fit(size, width)}

    @app.job_with_context(queue="images", priority=9, max_attempts=2, timeout=300)
    async def transcode_video(ctx: Context, video: str, profile: Profile = "1080p") -> dict[str, object]:
        """Make a video smaller, frame by frame; it runs for a minute or so."""
        frames = 60 * around.dice.randrange(15, 60)
        for done in range(0, frames, 60):
            await around.rest(1.2)
            ctx.progress(done + 60, frames, f"{profile}: second {done // 60}")
            if done and done % 600 == 0:
                ctx.log.info("%d of %d frames of %s.", done, frames, video)
        return {"video": video, "profile": profile, "frames": frames, "bytes": frames * 48_611}

    @app.job(queue="images", priority=8)
    async def forget_upload(upload: str) -> None:
        """Delete what nobody has paid for; somebody may have by now."""
        await around.rest(0.05)
        if around.happens(0.3):
            raise Cancel(f"{upload} was paid for.")

    def next_thumbnail(dice: random.Random) -> Call[dict[str, object]]:
        shop = dice.choices(("harbour", "lantern", "orbit"), (6, 2, 1))[0]
        file = dice.choices(("boat", "comet", "empty", "torn"), (60, 30, 3, 4))[0]
        call = make_thumbnail.call(shop, f"{file}-{dice.randrange(10**6)}.jpg", dice.choice((160, 320, 640)))
        return call.options(tags=["thumbnail", shop])

    def next_upload(dice: random.Random) -> Call[None]:
        return forget_upload.call(f"{customer(dice).shop}/{dice.randrange(10**6)}").later(dice.uniform(5, 60))

    return [
        Order(16, next_thumbnail),
        Order(0.3, lambda dice: transcode_video.call(f"tour-{dice.randrange(1000)}.mov").options(tags=["video"])),
        Order(2, next_upload),
    ]


class Darkroom:
    """What knows pictures."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def size_of(self, file: str) -> tuple[int, int]:
        """Width and height of a picture. Raises BrokenImage."""
        return self._decode(file, self._head_of(file))

    def fit(self, size: tuple[int, int], width: int) -> int:
        """The height that keeps a picture's shape."""
        return size[1] * width // size[0]

    def _head_of(self, file: str) -> bytes:
        if file.startswith("torn"):
            raise BrokenImage(f"cannot identify image file '/srv/uploads/{file}'")
        return b"\xff\xd8\xff"

    def _decode(self, file: str, head: bytes) -> tuple[int, int]:
        if file.startswith("empty"):
            return 0, 0
        if self._around.happens(0.01):
            raise MemoryError(f"no {len(head) * 1400} MiB for the pixels")
        return 4032, 3024
