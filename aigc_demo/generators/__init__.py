"""Trained models behind one protocol for each kind, with sampling and decoding."""
