"""A run: planned, in the making, and as it lies on disk."""
