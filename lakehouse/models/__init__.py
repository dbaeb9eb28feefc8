"""SQL models: one file a table, with its inputs in the header; a model whose inputs stand still is not run."""
