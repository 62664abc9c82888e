"""Captioned images: metadata files and the preprocessing of pairs."""
