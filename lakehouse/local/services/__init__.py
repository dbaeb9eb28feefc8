"""The services under a local stack, as child processes: object store, AWS emulator, object events."""
