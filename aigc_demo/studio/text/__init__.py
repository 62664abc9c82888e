"""Use cases of text models."""
