"""What each function does, with the rooms put together; handlers, the command line and the stack call these."""
