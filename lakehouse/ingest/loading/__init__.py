"""Typed rows → data files: units, deduplication, and the guard of full exports."""
