"""Bytes of a raw file → typed rows: pieces, headers, SQL that types values, rows that cannot be read."""
