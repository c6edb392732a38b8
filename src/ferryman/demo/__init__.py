"""A shop that has jobs to do without end: what `ferryman demo --live` runs, for looking around.

Its handlers only seem to work. They rest, they tell how far they are, they log, and some of them fail, as real ones do.
"""
