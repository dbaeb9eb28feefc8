"""Scores: what a customer is likely to do next, computed from arrays; no table is read or written here."""
