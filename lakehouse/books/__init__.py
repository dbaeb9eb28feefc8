"""The one writer of the system's own books: what commits and objects say, copied into `ops.*` tables."""
