"""Labelled images, in files and in memory."""
