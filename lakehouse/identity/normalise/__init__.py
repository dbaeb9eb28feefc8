"""What people, companies and places are called, in forms that compare: pure functions of text, made once a value."""
