"""Privacy: what people allowed, and proof of what was done."""
