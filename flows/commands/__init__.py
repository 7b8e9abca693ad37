"""The commands of `digits`, one a file; each is imported when it is called."""
