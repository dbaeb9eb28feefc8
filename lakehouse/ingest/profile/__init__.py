"""What a file that nobody has seen holds."""
