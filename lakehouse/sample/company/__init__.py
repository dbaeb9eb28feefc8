"""A company whose truth is known: generated from a seed at any size, with planted facts, as its systems export it.

A Chinese retail company: shops in twelve cities, a site and an app, families, salespeople and agents, campaigns,
two years of history. `world` is what is true; `writers` is how each system writes it down, with that system's
faults. The demo's small sample beside this package is another thing.
"""

from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.truth import Truth
from lakehouse.sample.company.write import write

__all__ = ["Plants", "Truth", "write"]
