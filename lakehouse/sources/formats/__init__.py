"""What raw files are written in: character encodings, kinds of file, JSON arrays, workbooks, Parquet."""
