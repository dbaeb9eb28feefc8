"""Pages and pictures for people; in a terminal so far."""
