"""SQL models: one file a table, with its inputs in the header; a model whose inputs have not changed is not run."""
