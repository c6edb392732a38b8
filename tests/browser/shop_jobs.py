"""The shop of the demonstration for nodes that only work: `ferryman work tests/browser/shop_jobs.py`."""

from __future__ import annotations

import asyncio
import random
import time

from ferryman.demo.shop import Shop
from ferryman.demo.surroundings import Surroundings

app = Shop(Surroundings(random.Random(2), rest=asyncio.sleep, block=time.sleep)).app
