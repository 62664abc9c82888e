"""Data sets of the Hub: tables, texts, images."""
