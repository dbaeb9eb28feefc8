"""What an unknown file holds: a profile of its columns."""
