"""Turns signed webhooks into raw files."""
