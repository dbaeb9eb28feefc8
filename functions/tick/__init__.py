"""The `tick` function."""
