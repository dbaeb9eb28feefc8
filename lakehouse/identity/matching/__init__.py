"""Records that may be one person though they share no identifier: candidates by keys, weights of evidence in bits."""
