"""What a file's columns mean in the canonical model: a suggestion, with how sure it is and why. Pure functions."""
