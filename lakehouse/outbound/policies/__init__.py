"""Who of those selected is not written to, and why: pure functions that return a reason, asked in one order."""
