"""What could not be loaded: quarantine objects, what is open in them, what to replay."""
