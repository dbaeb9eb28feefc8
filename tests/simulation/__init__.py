"""Ingest, maintenance, sweep and books under every fault that a seed can think of, the same at every replay."""
