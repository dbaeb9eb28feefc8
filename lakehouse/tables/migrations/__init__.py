"""How a table comes to what its contract says, under live writers: shape, plan, apply, and what a writer sees."""
