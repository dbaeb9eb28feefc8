"""The demo's sample data: real CDNOW purchases, and CRM and web records generated around them.

The purchases (`CDNOW_master.txt.gz`, MIT, see `CDNOW_LICENSE`) are copied, never altered. Everything about
people is generated from a seed and labelled so.
"""

from lakehouse.sample.purchases.files import SampleFile
from lakehouse.sample.purchases.write import write

__all__ = ["SampleFile", "write"]
