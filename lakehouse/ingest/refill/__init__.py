"""Columns that a mapping names by now, filled from what older rows keep in `extra`."""
