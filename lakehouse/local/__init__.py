"""The stack on a laptop: services as child processes, functions on their events, a CRM to publish to."""
