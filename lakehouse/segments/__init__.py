"""Who belongs to which segment: definitions in YAML, members now, and the changes since the last refresh."""
