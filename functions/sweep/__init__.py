"""The `sweep` function."""
