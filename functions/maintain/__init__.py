"""The `maintain` function."""
