"""Use cases of image models."""
