"""Preprocessing of text: decode, clean, split, tokenize."""
