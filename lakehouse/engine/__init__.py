"""DuckDB: reads, parses, sorts, writes Parquet and answers SQL, within the limits of one function."""
