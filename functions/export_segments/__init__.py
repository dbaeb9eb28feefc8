"""The `export_segments` function."""
