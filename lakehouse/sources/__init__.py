"""What arrives: one YAML file a source and entity says how to read it and what it means."""
