"""A company whose truth is known: generated from a seed at any size, with planted facts, as its systems export it.

A Chinese retail company: shops in twelve cities, a site and an app, families, salespeople and agents, campaigns,
two years of history. The small sample of real purchases beside this package is another thing. The words:

- plant: a fact that is put into the company, so that whoever reads its exports should find it (`policy.Plants`)
- scenario: what is the same for all customers: days, weather, catalogue, systems, plants (`world.scenario`)
- chunk: five thousand people and all that happened to them, made in one piece of memory (`world.chunk`)
- team and shard: the staff for four chunks of customers, and the export files of these
- occasion: a moment at which somebody orders something (`world.life`)
- wave: two weeks of the campaign that has a control group (`world.waves`)
- system records: the records of a chunk that one CRM has (`writers.system_records`)
- fault: what a system or a person does to a value, at a known rate (`writers.export`)

`world` is what is true; `writers` is how each system writes it down, with that system's faults; `truth` is the answer
to hold findings against.
"""

from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.truth import Truth
from lakehouse.sample.company.write import write

__all__ = ["Plants", "Truth", "write"]
