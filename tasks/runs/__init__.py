"""A run: planned, in progress, and as a folder on disk."""
