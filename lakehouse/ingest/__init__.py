"""Raw file → raw table: read, checked, deduplicated, written partitioned and sorted, committed exactly once."""
