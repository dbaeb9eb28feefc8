"""The `resolve` function."""
