"""Which run is in use, and whether a new one takes its place."""
