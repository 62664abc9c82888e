"""Use cases of text-to-image models."""
