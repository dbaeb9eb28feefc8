"""Data to play with, not shipped in functions: real purchases, and a generated company with its truth."""
