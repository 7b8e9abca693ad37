"""Artifacts on a URL: an object store that machines share, and a folder here that mirrors it."""
