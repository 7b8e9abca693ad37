"""Photographs and scans: their digits found, and cut out as training images are."""
