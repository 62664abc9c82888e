"""Datasets of the Hub: tables, texts, images."""
