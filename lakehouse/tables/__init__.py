"""The tables: contracts, catalog, guarded commits, ledger, maintenance. The only room that knows pyiceberg."""
