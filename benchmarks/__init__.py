"""Repeatable measurements, each as a ratio to its limit or to a peer in the same run."""
