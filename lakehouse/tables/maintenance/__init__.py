"""Keeps tables quick: small files rewritten, manifests merged, snapshots expired, orphans removed."""
