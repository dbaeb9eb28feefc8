"""What a value looks like, and what a column of such values is: pure functions of text."""
