"""The `books` function."""
