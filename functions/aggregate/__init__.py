"""The `aggregate` function."""
