"""A small shop on this machine that uses the real browser SDK: what is clicked in it shows up in the tables."""
