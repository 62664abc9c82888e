"""Preprocessing of images: read, deduplicate, split, augment."""
