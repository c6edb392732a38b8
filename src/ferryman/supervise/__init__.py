"""One process that supervises many: it starts node processes, hears how they are, and gives back what dead ones held.

parent: HTTP, Fleet -- starts, signals --> node process: Node, Reporter
                    <-- reports, a pipe --
"""

from __future__ import annotations
