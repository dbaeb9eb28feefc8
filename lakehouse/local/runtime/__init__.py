"""Functions on their events, with Lambda's semantics: pollers, schedules, HTTP, time limits, logs."""
