"""The company itself: what is true of it, as Arrow tables, before any system writes it down."""
