"""Raw files: their keys and identities, the messages that announce them, listing, fetching, sweep."""
