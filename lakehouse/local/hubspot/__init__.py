"""A HubSpot simulator: server, API, contact store, faults."""
