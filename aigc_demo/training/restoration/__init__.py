"""Training of networks that restore colours or missing parts of an image."""
